import { recordingsOf } from '../recordings.ts';

export type { ManifestEntry } from '../recordings.ts';
export const { describeRecorded, readFixture, readManifest } = recordingsOf('microsoft');
