SELECT 'no key is current and former at once' AS check, count(*) AS violations
  FROM booking_effects WHERE creation_key = ANY (former_keys);
