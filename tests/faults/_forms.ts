import { ALT, CRATES_IO, type Registry } from "./_scene.ts";

/** The token that is moved. */
export const TOKEN = "the-token-6f1d";

/** A way to write a credentials file. */
export interface Form {
  readonly name: string;
  /** Whose token is moved. */
  readonly registry: Registry;
  readonly text: string;
  /**
   * The token that is in it.
   *
   * @default {TOKEN}
   */
  readonly token?: string;
  /**
   * Where the key crosses a page and nothing can be done about it: the token
   * is stored, and stays in the file.
   *
   * @default {false}
   */
  readonly stays?: boolean;
}

const OTHERS =
  `[registries.one]\ntoken = "one-token" # one\n\n[registries.two]\ntoken = "two-token"\nsecret-key = "k3.secret.two"\n`;

function alt(name: string, text: string, more: Partial<Form> = {}): Form {
  return { name, registry: ALT, text, ...more };
}

function cratesIo(name: string, text: string): Form {
  return { name, registry: CRATES_IO, text };
}

/** Comments, so that what follows begins at this byte. */
function fill(offset: number): string {
  const line = "# a line that says nothing much\n";
  const rest = offset % line.length;
  const first = rest < 2 ? "\n".repeat(rest) : `#${" ".repeat(rest - 2)}\n`;
  return first + line.repeat((offset - rest) / line.length);
}

const PAGE = 4096;
const KEY = `token = "${TOKEN}" # mine\n`;

/** A table of `alt` whose key begins at this byte. */
function keyAt(offset: number): string {
  const header = "[registries.alt]\n";
  return fill(offset - header.length) + header + KEY;
}

/** Longer than a page, as those of Entra ID are. */
const LONG_TOKEN = `Bearer ${"eyJ0eXAiOiJKV1Qi.".repeat(360)}`;

/** What a file is into which a token longer than a page is restored. */
export const LONG_FORMS: readonly Form[] = [
  alt("no file", "", { token: LONG_TOKEN }),
  alt("an emptied table", `[registries.alt]\n\n${OTHERS}`, {
    token: LONG_TOKEN,
  }),
  alt("an emptied table at the end", `${OTHERS}[registries.alt]\n`, {
    token: LONG_TOKEN,
  }),
  alt("a page's end", fill(PAGE - 20) + OTHERS, { token: LONG_TOKEN }),
];

/** Every form that cargo reads a token from, with other tokens around it. */
export const FORMS: readonly Form[] = [
  alt(
    "as cargo writes it",
    `[registry]\ntoken = "crates-io-token"\n\n[registries.alt]\ntoken = "${TOKEN}"\n\n${OTHERS}`,
  ),
  cratesIo("[registry]", `[registry]\ntoken = "${TOKEN}"\n\n${OTHERS}`),
  cratesIo("a top-level token", `token = "${TOKEN}" # old\n\n${OTHERS}`),
  cratesIo(
    "[registry] over a dead top-level token",
    `token = "dead-token"\n\n${OTHERS}\n[registry]\ntoken = "${TOKEN}"\n`,
  ),
  alt(
    "dotted keys",
    `registry.token = "crates-io-token"\nregistries.alt.token = "${TOKEN}"\nregistries.one.token = "one-token"\n`,
  ),
  alt(
    "dotted keys in a table",
    `[registries]\none.token = "one-token"\nalt.token = "${TOKEN}"\nalt.secret-key = "k3.secret.alt"\ntwo.token = "two-token"`,
  ),
  alt(
    "quoted names",
    `["registries"."one"]\n"token" = 'one-token'\n["registries".'alt']\n"token" = '${TOKEN}'\n`,
  ),
  alt(
    "escaped names",
    `[registries."al\\u0074"]\n"tok\\u0065n" = "${TOKEN}"\n\n${OTHERS}`,
  ),
  alt(
    "inline tables",
    `[registries]\none = { token = "one-token" }\nalt = { secret-key = "k3.secret.alt", token = "${TOKEN}" }\ntwo = {token="two-token"}\n`,
  ),
  alt(
    "one inline table",
    `registries = { alt = { token = "${TOKEN}", secret-key = "k3.secret.alt" }, one = { token = "one-token" } }\n`,
  ),
  alt("a multi-line string", `[registries.alt]\ntoken = """\n${TOKEN}"""\n`),
  alt(
    "CRLF",
    `[registries.alt]\ntoken = "${TOKEN}"\n\n${OTHERS}`.replaceAll(
      "\n",
      "\r\n",
    ),
  ),
  alt("a byte order mark", `\ufeffregistries.alt.token = "${TOKEN}"\n`),
  alt(
    "comments, and no final newline",
    `# mine: token = "not-this"\n\n${OTHERS}\n  [ registries . alt ] # here\n\t# above\n\ttoken="${TOKEN}" # é`,
  ),
  alt("nothing else", `[registries.alt]\ntoken = "${TOKEN}"`),
  alt("the first page of three", keyAt(600) + OTHERS + fill(2 * PAGE)),
  alt("a key across two pages", keyAt(PAGE - 7) + OTHERS, { stays: true }),
  alt("a key before a page's end", keyAt(PAGE - KEY.length) + OTHERS),
  alt("a key at a page's start", keyAt(PAGE) + OTHERS),
  alt(
    "a key in quotes across two pages",
    keyAt(PAGE - 3).replace("token =", '"token" =') + OTHERS,
    { stays: true },
  ),
  alt("an end across two pages", keyAt(PAGE - 100) + OTHERS),
  alt(
    "an inline table across two pages",
    `${fill(PAGE - 30)}\nregistries.alt = { token = "${TOKEN}" }\n${OTHERS}`,
    { stays: true },
  ),
];
