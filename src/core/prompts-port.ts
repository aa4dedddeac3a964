export interface Choice<T extends string> {
  readonly value: T;
  readonly name: string;
  readonly description?: string;
}

/** What every question has. */
export interface Asked {
  readonly message: string;
  /** Esc rejects with `Back`; left out, Esc does nothing */
  readonly back?: boolean;
}

/** An answer that is typed. `check` answers true or the complaint. */
export interface TypedQuestion extends Asked {
  readonly check?: (value: string) => true | string;
}

export interface TextQuestion extends TypedQuestion {
  readonly default?: string;
  /** stands in the line already, to be mended */
  readonly filledIn?: string;
  /** the pasted text may contain line breaks, which are kept */
  readonly wrapped?: boolean;
}

export interface ChoiceQuestion<T extends string> extends Asked {
  readonly choices: readonly Choice<T>[];
  readonly default?: T;
}

export interface SeveralQuestion<T extends string> extends Asked {
  readonly choices: readonly Choice<T>[];
  readonly default: readonly T[];
}

export interface YesOrNoQuestion extends Asked {
  readonly default: boolean;
}

/** Questions on the terminal, always on stderr. Ctrl-C, Ctrl-D and a closed terminal reject with `Interrupted`. */
export interface Prompts {
  text(q: TextQuestion, signal?: AbortSignal): Promise<string>;
  secret(q: TypedQuestion, signal?: AbortSignal): Promise<string>;
  select<T extends string>(q: ChoiceQuestion<T>, signal?: AbortSignal): Promise<T>;
  checkbox<T extends string>(q: SeveralQuestion<T>, signal?: AbortSignal): Promise<readonly T[]>;
  confirm(q: YesOrNoQuestion, signal?: AbortSignal): Promise<boolean>;
}
