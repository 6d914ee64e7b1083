import { describeConformance } from './suite.ts';

describeConformance('google', { canRenewChannels: false, canListChannels: false, canRevoke: true });
