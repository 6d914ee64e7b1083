import { describeJourneys } from './journeys.ts';

describeJourneys('Redis', 'microsoft');
