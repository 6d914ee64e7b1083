SELECT 'mailboxes have at most four slots' AS check, count(*) AS violations
  FROM mailbox_slots WHERE slot NOT BETWEEN 1 AND 4;
