/** Mails that the provider would have sent to guests. Counted, never sent. */
export interface Mail {
  readonly at: string;
  readonly calendar: string;
  readonly event_id: string;
  readonly occasion: 'invitation' | 'update' | 'cancellation';
  readonly recipient_count: number;
}

export class MailLog {
  #mails: Mail[] = [];

  send(mail: Mail): void {
    if (mail.recipient_count > 0) this.#mails.push(mail);
  }

  list(): readonly Mail[] {
    return this.#mails;
  }

  count(): number {
    return this.#mails.reduce((sum, mail) => sum + mail.recipient_count, 0);
  }

  clear(): void {
    this.#mails = [];
  }
}
