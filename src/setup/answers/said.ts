import type { AnswerId } from './answers.ts';
import type { Flags } from './question.ts';
import { allQuestions } from './questions.ts';

type Texts = { [K in AnswerId]?: string };

/**
 * What a person has answered in this run. An answer counts as its flag would, so going back is going through the questions again, with the
 * answers before it given and those after it filled in.
 */
export class Said {
  /** the questions that were asked, in their order */
  private order: AnswerId[] = [];
  private texts: Texts = {};
  /** answers of questions that are asked again: they are filled in */
  private before: Texts = {};
  /** the one answer that is being changed, from the summary */
  private changing: { readonly id: AnswerId; readonly earlier: string | undefined } | undefined;

  /** the flags that were given, and the answers in place of those that were changed */
  over(flags: Flags): Flags {
    const all: Texts = { ...flags, ...this.texts };
    for (const { id } of allQuestions) if (this.before[id] !== undefined) delete all[id];
    return all;
  }

  /** Is there a question before the one that is asked now? */
  get canGoBack(): boolean {
    return this.changing !== undefined || this.order.length > 0;
  }

  /** The question is asked although nothing in the answers asks for it. */
  isOpen(id: AnswerId): boolean {
    return this.before[id] !== undefined || this.changing?.id === id;
  }

  filledIn(id: AnswerId): string | undefined {
    return this.before[id];
  }

  answered(id: AnswerId, text: string): void {
    const earlier = this.before[id];
    delete this.before[id];
    this.texts[id] = text;
    if (this.changing?.id === id) this.changing = undefined;
    else this.order = [...this.order.filter((one) => one !== id), id];
    // An answer that hangs on another one is asked for again when that one is another now.
    if (earlier === undefined || earlier === text) return;
    for (const other of this.hangingOn(id)) {
      this.reopen(other);
      // The address of one product is not to be taken for that of another by a press of Enter.
      if (id === 'for' && other !== 'openedBy' && other !== 'signInAs') delete this.before[other];
    }
  }

  /** The question before this one is asked again. */
  back(): void {
    const { changing } = this;
    if (changing !== undefined) {
      delete this.before[changing.id];
      if (changing.earlier !== undefined) this.texts[changing.id] = changing.earlier;
      this.changing = undefined;
      return;
    }
    const last = this.order.at(-1);
    if (last !== undefined) this.reopen(last);
  }

  /** From the summary: this one question is asked again, with `text` in it. */
  change(id: AnswerId, text: string): void {
    this.changing = { id, earlier: this.texts[id] };
    this.before[id] = text;
    delete this.texts[id];
  }

  private reopen(id: AnswerId): void {
    this.order = this.order.filter((one) => one !== id);
    const text = this.texts[id];
    if (text !== undefined) this.before[id] = text;
    delete this.texts[id];
  }

  private hangingOn(id: AnswerId): readonly AnswerId[] {
    const answered = allQuestions.filter((question) => this.texts[question.id] !== undefined && question.id !== id);
    const hanging = answered.filter((question) => id === 'for' || (question.decidedWith ?? []).includes(id));
    return hanging.map((question) => question.id).filter((other) => other !== 'mailbox' && other !== 'tenant');
  }
}
