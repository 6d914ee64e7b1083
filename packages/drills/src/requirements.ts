/**
 * Every scenario that the drills have to play, by the id of its requirement. A test compares this list with what the
 * drills say they prove, and each drill is held to its word when it runs.
 */
export const SCENARIOS = {
  'W-1': 'both notification routes are there',
  'W-2': 'notifications are proven genuine as each calendar provider does it, with secrets that rotate',
  'W-3': 'behind a signing relay the signature over the raw body is required',
  'W-4': 'a repeated delivery is a duplicate, two different ones are not',
  'W-5': 'a storm of deliveries is one sync, and none of different ones is lost',
  'W-6': 'bad input is refused by its own status, leaves nothing behind and tells nothing',
  'W-7': 'nothing is acknowledged that could be lost, whichever of ingress, database and queue is away',
  'I-1': 'only changes are fetched, and everything again when the cursor is not taken any more',
  'I-2': 'busy time is stored once, in UTC, and the time of the last sync only after success',
  'I-3': 'busy time is subtracted from free slots',
  'I-4': 'notification, person, schedule and the end of a wait each start a sync',
  'I-5': 'a failed sync leaves nothing partial and says what happened; recovery clears it',
  'O-1': 'a booking is created, moved and deleted in the calendar, with one mapping',
  'O-2': 'the iCalendar id of a booking never changes',
  'O-3': 'repeated, concurrent, reordered and retried booking events leave one event, of the newest version',
  'R-1': 'an ailing calendar provider is waited for, and nobody else suffers',
  'R-2': 'a lost database, queue or process costs time, never work',
  'R-3': 'a revoked grant parks its connection until its owner connects again',
  'F-1': 'every flag is off unless it says true, and is asked at every entry',
  'F-2': 'who is not on a list is refused, and who leaves it keeps the rows',
  'F-3': 'a flag that is turned off lets work finish, parks the rest, and loses nothing',
  'M-1': 'every migration goes down and up again, and its verification finds nothing',
  // Not scenarios of their own, but asked for by the go/no-go list.
  'B-1': 'the metrics of the whole fleet are there',
  'B-2': 'every alert that was asked for exists, with its runbook, over metrics that exist',
  'B-3': 'no log holds a secret, a title or an address',
} as const;

export type RequirementId = keyof typeof SCENARIOS;

export const REQUIREMENT_IDS = Object.keys(SCENARIOS) as readonly RequirementId[];
