import { describeJourneys } from './journeys.ts';

describeJourneys('PostgreSQL', 'google');
