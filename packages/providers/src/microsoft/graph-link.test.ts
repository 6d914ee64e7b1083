import { describe, expect, test } from '@jest/globals';
import { ownLink } from './graph-link.ts';

describe('ownLink', () => {
  test.each([
    ['https://graph.microsoft.com', 'https://graph.microsoft.com/v1.0/me/calendarView/delta?$deltatoken=a%2Bb=='],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com/v1.0/me/calendarView/delta'],
    ['http://127.0.0.1:8090/graph', 'http://127.0.0.1:8090/graph/v1.0/me/events?$skip=10'],
  ])('[A-1] below %s follows %s', (base, link) => {
    expect(ownLink(link, base)).toBe(link);
  });

  test.each([
    ['https://graph.microsoft.com', 'https://graph.microsoft.com.example.net/v1.0/me'],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com@example.net/v1.0/me'],
    ['https://graph.microsoft.com', 'https://user:secret@graph.microsoft.com/v1.0/me'],
    ['https://graph.microsoft.com', 'https://user@graph.microsoft.com/v1.0/me'],
    ['https://graph.microsoft.com', 'http://graph.microsoft.com/v1.0/me'],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com:8443/v1.0/me'],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com/beta/me'],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com/v1.0x/me'],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com/v1.0/../beta/me'],
    ['https://graph.microsoft.com', 'https://graph.microsoft.com/v1.0/%2e%2e/beta/me'],
    ['http://127.0.0.1:8090/graph', 'http://127.0.0.1:8090/v1.0/me'],
    ['http://127.0.0.1:8090', 'http://127.0.0.1:8091/v1.0/me'],
    ['http://127.0.0.1:8090', '/v1.0/me'],
    ['http://127.0.0.1:8090', ''],
  ])('[A-1] below %s refuses %s', (base, link) => {
    expect(ownLink(link, base)).toBeNull();
  });
});
