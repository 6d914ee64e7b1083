import { describeConformance } from './suite.ts';

describeConformance('microsoft', { canRenewChannels: true, canListChannels: true, canRevoke: false });
