/** Hints and an answer beside an exercise: a hint once its check has been tried, the answer after a further attempt. */
import { escapeMarkup } from "./escape-markup.ts";
import { changeProgress, loadProgress, type Tries } from "./storage.ts";

/** Help for one exercise, as the build wrote it. */
export interface ExerciseHelp {
  /** From a nudge to almost the answer. */
  readonly hints: readonly string[];
  /** TypeScript in place of the stub, for the book's seed. */
  readonly answer: string;
  readonly because: string;
  readonly seed: number;
}

/** What may be offered. */
export interface Offer {
  readonly hint: boolean;
  readonly answer: boolean;
}

/** What a reader may see who has tried that often. @param hints  How many hints there are. */
export const offerFor = (
  { count, hints: opened, hintAt }: Tries,
  hints: number,
  hasPassed: boolean,
): Offer => ({
  hint: !hasPassed && count > 0 && opened < hints,
  answer: hasPassed || (opened > 0 && count > hintAt),
});

/** A page's exercises with their help. */
export class ExerciseHelpers {
  readonly #address: string;
  readonly #seed: () => number | undefined;
  readonly #answersShown = new Set<string>();
  #help: Promise<Readonly<Record<string, ExerciseHelp>>> | undefined;

  /** @param seed  The seed in the reader's own text of the page. */
  constructor(address: string, seed: () => number | undefined) {
    this.#address = address;
    this.#seed = seed;
  }

  /** Draws the help of every exercise that was tried or passed before. */
  async start(): Promise<void> {
    const { tries } = loadProgress();
    for (const room of document.querySelectorAll<HTMLElement>(".exercise-help"))
      if (tries[room.dataset["exercise"] ?? ""] !== undefined) await this.draw(room);
  }

  /** Notes an attempt that did not pass, and offers what it has earned. */
  async tried(room: HTMLElement): Promise<void> {
    await this.#change(room, (tries) => ({ ...tries, count: tries.count + 1 }));
  }

  /** Does what a button of an exercise says. */
  async act(action: string, room: HTMLElement): Promise<void> {
    if (action === "hint")
      await this.#change(room, (tries) => ({
        ...tries,
        hints: tries.hints + 1,
        hintAt: tries.hints === 0 ? tries.count : tries.hintAt,
      }));
    if (action === "answer") this.#answersShown.add(room.dataset["exercise"] ?? "");
    await this.draw(room);
    room.querySelector<HTMLElement>("button")?.focus();
  }

  async #change(room: HTMLElement, change: (tries: Tries) => Tries): Promise<void> {
    const id = room.dataset["exercise"] ?? "";
    changeProgress((progress) => {
      progress.tries[id] = change(progress.tries[id] ?? { count: 0, hints: 0, hintAt: 0 });
    });
    await this.draw(room);
  }

  /** Draws what is open and the buttons for what is offered. */
  async draw(room: HTMLElement): Promise<void> {
    const id = room.dataset["exercise"] ?? "";
    const help = (await this.#all())[id];
    const progress = loadProgress();
    const tries = progress.tries[id] ?? { count: 0, hints: 0, hintAt: 0 };
    if (help === undefined) return;
    const offer = offerFor(tries, help.hints.length, progress.checks[id] === true);
    const isAnswered = this.#answersShown.has(id) && offer.answer;
    const hints = help.hints.slice(0, tries.hints).map((hint) => `<li>${escapeMarkup(hint)}</li>`);
    room.innerHTML =
      (hints.length > 0 ? `<ol class="dom0-hint">${hints.join("")}</ol>` : "") +
      (isAnswered ? answerMarkup(help, this.#seed()) : "") +
      (offer.hint ? button("hint", `Hint ${tries.hints + 1} of ${help.hints.length}`) : "") +
      (offer.answer && !isAnswered ? button("answer", "Show an answer") : "") +
      (offer.answer || tries.hints === 0 ? "" : "<span>An answer is offered after one more attempt.</span>");
    room.hidden = room.innerHTML === "";
  }

  #all(): Promise<Readonly<Record<string, ExerciseHelp>>> {
    this.#help ??= fetch(this.#address).then(
      (response) => response.json() as Promise<Record<string, ExerciseHelp>>,
    );
    return this.#help;
  }
}

const button = (action: string, text: string): string =>
  `<button type="button" class="text-button" data-help="${action}">${text}</button>`;

function answerMarkup({ answer, because, seed }: ExerciseHelp, own: number | undefined): string {
  const other =
    own === undefined || own === seed
      ? ""
      : `<p>This is the answer for <code>SEED = ${seed}</code>. Yours is ${own}: the last line of the cell shows its answer.</p>`;
  return `<pre class="dom0-answer" tabindex="0"><code>${escapeMarkup(answer)}</code></pre><p>${escapeMarkup(because)}</p>${other}`;
}
