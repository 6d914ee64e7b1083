/** `interactive`: a person waits for the answer. */
export type Lane = 'interactive' | 'background';

export interface Place {
  readonly connectionId: string;
  readonly lane: Lane;
}

/** After so many interactive turns the background gets one. */
const INTERACTIVE_TURNS = 3;

/**
 * Who waits, and whose turn it is. Connections take turns within a lane, whatever each of them has waiting; the
 * interactive lane goes first, three times out of four. Knows neither time nor limits.
 */
export class WaitingLine<P extends Place> {
  /** By connection, in the order of their turns: whoever has had one stands at the end again. */
  readonly #lanes: Readonly<Record<Lane, Map<string, P[]>>> = { interactive: new Map(), background: new Map() };
  #size = 0;
  #interactiveTurns = 0;

  get size(): number {
    return this.#size;
  }

  add(place: P): void {
    const lane = this.#lanes[place.lane];
    const places = lane.get(place.connectionId);
    if (places === undefined) lane.set(place.connectionId, [place]);
    else places.push(place);
    this.#size += 1;
  }

  /** False when it does not wait any more. */
  remove(place: P): boolean {
    const lane = this.#lanes[place.lane];
    const places = lane.get(place.connectionId) ?? [];
    const index = places.indexOf(place);
    if (index < 0) return false;
    places.splice(index, 1);
    if (places.length === 0) lane.delete(place.connectionId);
    this.#size -= 1;
    return true;
  }

  /** Takes out the next one whose connection may go; null when none may. */
  takeNext(mayGo: (connectionId: string) => boolean): P | null {
    const isBackgroundsTurn = this.#interactiveTurns >= INTERACTIVE_TURNS;
    for (const lane of isBackgroundsTurn ? backgroundFirst : interactiveFirst) {
      const place = this.#takeFrom(this.#lanes[lane], mayGo);
      if (place === null) continue;
      this.#interactiveTurns = lane === 'interactive' ? this.#interactiveTurns + 1 : 0;
      return place;
    }
    return null;
  }

  /** Takes out all that one connection has waiting. */
  takeAllOf(connectionId: string): P[] {
    const taken = interactiveFirst.flatMap((lane) => [...(this.#lanes[lane].get(connectionId) ?? [])]);
    for (const place of taken) this.remove(place);
    return taken;
  }

  countOf(connectionId: string): number {
    return interactiveFirst.reduce((sum, lane) => sum + (this.#lanes[lane].get(connectionId)?.length ?? 0), 0);
  }

  /** The connections that wait; one may come twice. */
  connectionIds(): string[] {
    return interactiveFirst.flatMap((lane) => [...this.#lanes[lane].keys()]);
  }

  #takeFrom(lane: Map<string, P[]>, mayGo: (connectionId: string) => boolean): P | null {
    for (const [connectionId, places] of lane) {
      const first = places[0];
      if (first === undefined || !mayGo(connectionId)) continue;
      lane.delete(connectionId);
      places.shift();
      if (places.length > 0) lane.set(connectionId, places);
      this.#size -= 1;
      return first;
    }
    return null;
  }
}

const interactiveFirst = ['interactive', 'background'] as const satisfies readonly Lane[];
const backgroundFirst = ['background', 'interactive'] as const satisfies readonly Lane[];
