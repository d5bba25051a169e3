export interface Item {
  readonly code: string;
  name: string;
  count: number;
  tags?: string[];
}

export type Answer<T> = { ok: true; value: T } | { ok: false; reason: string };

export class Client {
  constructor(private readonly base: URL, private fetcher: typeof fetch = fetch) {}

  async item(code: string): Promise<Answer<Item>> {
    const answer = await this.fetcher(new URL(`items/${code}`, this.base));
    if (answer.status === 404) return { ok: false, reason: `no item ${code}` };
    return { ok: true, value: (await answer.json()) as Item };
  }
}
