import { baseName } from "../../base/paths.ts";
import { valueAt } from "../../cargo/config.ts";
import type {
  TextRange,
  TomlDocument,
  TomlEntry,
  TomlParser,
  TomlPath,
  TomlValue,
} from "../../toml/document.ts";
import { TomlSyntaxError } from "../../toml/document.ts";
import { type EditRefusal, editToml, sameValue } from "../../toml/edit.ts";

/** What becomes of a configuration file. */
export type ConfigEdit =
  /** It says what it should. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "edited"; readonly text: string }
  | { readonly kind: "refused"; readonly reason: EditRefusal };

/** How {@linkcode putProvider} names the program. */
export interface PutProviderOptions {
  /** The program's whole path. */
  readonly program: string;
  /** Cargo's own provider for the system, which reads the same items. */
  readonly platformProvider: string | undefined;
  /** Whether another file of the user's has a list that cargo joins to this. */
  readonly isListedElsewhere: boolean;
}

const LIST = ["registry", "global-credential-providers"] as const;

/** The name of the program, and of the alias for a path with spaces. */
const NAME = "cargo-credential-keyring";
const ALIAS = ["credential-alias", NAME] as const;

/**
 * Stands behind a value that was put in, so that it can be taken out again to
 * the byte: alone where there was no key, else with the text from before.
 */
const NOTE = " # cargo-credential-keyring setup";
/** What may stand between a value and its note: the ends of what it is in. */
const PLAIN_REST = /^[\s}\]]*$/;
const NOTE_WAS = /^ # cargo-credential-keyring setup, was (".*")/;

/** Cargo splits an entry at white space. */
function needsAlias(program: string): boolean {
  return /\s/.test(program);
}

/** How a list names the program. */
function entryFor(program: string): string {
  return needsAlias(program) ? NAME : program;
}

/** Whether an entry of a list, or a provider of one registry, is this program. */
function isOurs(entry: string | undefined): boolean {
  return entry !== undefined &&
    baseName(entry.trim()).replace(/\.(?:exe|cmd)$/i, "") === NAME;
}

/**
 * Makes a program cargo's provider in a configuration file, last in the list,
 * so that cargo asks it first. `cargo:token` comes with a new list alone:
 * where the user left it out, it stays out. Cargo's own provider for the
 * system makes room, also as the provider of one registry; any other stays.
 */
export function putProvider(
  toml: TomlParser,
  text: string,
  options: PutProviderOptions,
): ConfigEdit {
  return edited(text, () => {
    const editor = new Editor(toml, text);
    editor.putInList(options);
    editor.putForRegistries(options);
    if (needsAlias(options.program)) editor.putAlias(options.program);
    return editor.text;
  });
}

/**
 * Takes out what {@linkcode putProvider} put in, and every other entry of the
 * list that is this program: what was added alone has left no trace that would
 * tell it from what somebody wrote.
 */
export function takeProvider(toml: TomlParser, text: string): ConfigEdit {
  return edited(text, () => {
    const editor = new Editor(toml, text);
    editor.takeBack();
    return editor.text;
  });
}

function edited(text: string, edit: () => string): ConfigEdit {
  try {
    const result = edit();
    return result === text
      ? { kind: "unchanged" }
      : { kind: "edited", text: result };
  } catch (error) {
    if (error instanceof Refused) {
      return { kind: "refused", reason: error.reason };
    }
    if (error instanceof TomlSyntaxError) {
      return { kind: "refused", reason: "malformed" };
    }
    throw error;
  }
}

class Refused extends Error {
  constructor(readonly reason: EditRefusal) {
    super(reason);
  }
}

class Editor {
  readonly #toml: TomlParser;
  text: string;

  constructor(toml: TomlParser, text: string) {
    this.#toml = toml;
    this.text = text;
  }

  putInList(
    { program, platformProvider, isListedElsewhere }: PutProviderOptions,
  ): void {
    const entry = entryFor(program);
    const list = this.#entry(LIST);
    if (list === undefined) {
      if (this.#document().inlineTables.some(({ path }) => same(path, LIST))) {
        throw new Refused("not-a-list");
      }
      this.#set(LIST, isListedElsewhere ? [entry] : ["cargo:token", entry]);
      return;
    }
    if (list.items === undefined) throw new Refused("not-a-list");
    const strings = list.items.map(({ string }) => string);
    const outdated = strings.filter((string) =>
      isOurs(string) || string !== undefined && string === platformProvider
    );
    if (outdated.length === 1 && strings.at(-1) === entry) return;
    const before = this.#textOf(list.value);
    const hadNote = this.#noteBehind(list) !== undefined;
    for (const item of outdated) {
      if (item !== undefined) {
        this.#edit({ kind: "remove-item", path: LIST, item });
      }
    }
    this.#edit({ kind: "add-item", path: LIST, item: entry });
    // What was added alone goes without a trace; what made room does not.
    if (outdated.length > 0 && !hadNote) this.#addNote(LIST, before);
  }

  putForRegistries({ program, platformProvider }: PutProviderOptions): void {
    for (const entry of this.#document().entries) {
      const path = keysOf(entry);
      if (path.at(-1) !== "credential-provider") continue;
      const value = this.#value(path);
      const words = Array.isArray(value) ? value : [value];
      const [first] = words;
      if (typeof first !== "string" || words.length > 1) continue;
      const isStale = isOurs(first) && first.trim() !== entryFor(program);
      if (first.trim() !== platformProvider && !isStale) continue;
      // Cargo refuses a key that is a string in one file and a list in another.
      this.#set(
        path,
        Array.isArray(value) ? [entryFor(program)] : entryFor(program),
      );
    }
  }

  putAlias(program: string): void {
    const value = this.#value(ALIAS);
    if (Array.isArray(value) && value.length === 1 && value[0] === program) {
      return;
    }
    this.#set(ALIAS, [program]);
  }

  takeBack(): void {
    // From the last to the first, so that each finds what it left.
    for (;;) {
      const noted = this.#document().entries.findLast((entry) =>
        this.#noteBehind(entry) !== undefined
      );
      if (noted === undefined) break;
      this.#takeNoted(noted);
    }
    for (;;) {
      const list = this.#entry(LIST);
      const item = list?.items?.findLast(({ string }) => isOurs(string))
        ?.string;
      if (item === undefined) break;
      this.#edit({ kind: "remove-item", path: LIST, item });
    }
  }

  #takeNoted(entry: TomlEntry): void {
    const { value } = entry;
    const path = keysOf(entry);
    const note = this.#noteBehind(entry);
    if (note === undefined) return;
    const { was } = note;
    const without = this.text.slice(0, note.start) + this.text.slice(note.end);
    if (was !== undefined && this.#isUntouched(entry, was)) {
      this.text = without.slice(0, value.start) + was +
        without.slice(value.end);
      return;
    }
    this.text = without;
    if (was !== undefined) return;
    // Somebody may have added to the list that was new.
    const rest =
      entry.items?.filter(({ string }) =>
        !isOurs(string) && string !== "cargo:token"
      ) ?? [];
    if (same(path, LIST) && rest.length > 0) return;
    this.#edit({ kind: "remove", path });
  }

  /** Whether a value still is what setup made of the one before. */
  #isUntouched(entry: TomlEntry, before: string): boolean {
    const earlier = this.text.slice(0, entry.value.start) + before +
      "\n" + this.text.slice(entry.value.end);
    let old: TomlValue | undefined;
    try {
      old = valueAt(this.#toml.values(earlier), keysOf(entry));
    } catch (error) {
      if (error instanceof TomlSyntaxError) return false;
      throw error;
    }
    if (!Array.isArray(old) || entry.items === undefined) return true;
    const now = entry.items.map(({ string }) => string)
      .filter((string) => !isOurs(string));
    return now.every((string) => old.includes(string ?? "")) &&
      old.filter((each) => !now.some((string) => string === each))
        .every((each) =>
          typeof each === "string" &&
          (isOurs(each) || each.startsWith("cargo:"))
        );
  }

  /** Sets a key, and remembers behind it what was there. */
  #set(path: readonly string[], value: string | readonly string[]): void {
    const entry = this.#entry(path);
    const before = entry === undefined ? undefined : this.#textOf(entry.value);
    const hadNote = entry !== undefined &&
      this.#noteBehind(entry) !== undefined;
    this.#edit({ kind: "set", path, value });
    if (!hadNote) this.#addNote(path, before);
  }

  #addNote(path: readonly string[], before: string | undefined): void {
    const entry = this.#entry(path);
    if (entry === undefined) return;
    const note = before === undefined
      ? NOTE
      : `${NOTE}, was ${JSON.stringify(before)}`;
    const { end } = entry.value;
    const [rest = ""] = this.text.slice(end).split(/\r?\n/, 1);
    // Behind the braces that the value may be in; before another comment.
    const at = end + (PLAIN_REST.test(rest) ? rest.length : 0);
    const candidate = this.text.slice(0, at) + note + this.text.slice(at);
    try {
      const values = this.#toml.values(candidate);
      if (sameValue(values, this.#toml.values(this.text))) {
        this.text = candidate;
      }
    } catch (error) {
      if (!(error instanceof TomlSyntaxError)) throw error;
    }
  }

  #noteBehind(
    { value }: TomlEntry,
  ): TextRange & { readonly was: string | undefined } | undefined {
    const [rest = ""] = this.text.slice(value.end).split(/\r?\n/, 1);
    const at = rest.indexOf(NOTE);
    if (at === -1 || !PLAIN_REST.test(rest.slice(0, at))) return undefined;
    const start = value.end + at;
    const [whole = NOTE, was] = NOTE_WAS.exec(rest.slice(at)) ?? [];
    return {
      start,
      end: start + whole.length,
      was: was === undefined ? undefined : JSON.parse(was),
    };
  }

  #edit(edit: Parameters<typeof editToml>[2]): void {
    const result = editToml(this.#toml, this.text, edit);
    if ("refused" in result) throw new Refused(result.refused);
    this.text = result.text;
  }

  #document(): TomlDocument {
    return this.#toml.locate(this.text);
  }

  #entry(path: readonly string[]): TomlEntry | undefined {
    return this.#document().entries.find((entry) => same(entry.path, path));
  }

  #value(path: readonly string[]): TomlValue | undefined {
    return valueAt(this.#toml.values(this.text), path);
  }

  #textOf({ start, end }: TextRange): string {
    return this.text.slice(start, end);
  }
}

function same(one: TomlPath, other: TomlPath): boolean {
  return one.length === other.length &&
    one.every((part, i) => part === other[i]);
}

/** The keys of an entry: none of those that are looked for lies in an array. */
function keysOf({ path }: TomlEntry): readonly string[] {
  return path.map(String);
}
