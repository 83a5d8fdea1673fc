import type { Message, MessageTerm } from "@optique/core/message";
import { getDocPageAsync, type Mode, type Parser } from "@optique/core/parser";
import { formatUsage, formatUsageTerm } from "@optique/core/usage";

/** A part of the page that no command's definition has. */
export interface ManSection {
  readonly title: string;
  /** Paragraphs; one with a term is an entry of a list. */
  readonly body: readonly (
    | string
    | { readonly term: string; readonly text: string }
  )[];
}

/** What a {@linkcode manPage} is made of. */
export interface ManPage {
  readonly program: string;
  readonly version: string;
  /** What the program does, in one line without a final stop. */
  readonly summary: string;
  readonly date: Date;
  /** The command line, and the names of the commands that are described. */
  readonly parser: Parser<Mode, unknown, unknown>;
  readonly commands: readonly string[];
  /** Sections before the commands, and behind them. */
  readonly before: readonly ManSection[];
  readonly after: readonly ManSection[];
}

/** Writes a manual page, in the macros of man(7). */
export async function manPage(page: ManPage): Promise<string> {
  const { program, version, date, summary, commands } = page;
  const day = date.toISOString().slice(0, 10);
  return [
    // The date stays as it is: mandoc reads it.
    `.TH "${escape(program.toUpperCase())}" 1 ${day} "${
      escape(`${program} ${version}`)
    }"`,
    ".SH NAME",
    line(`${program} - ${summary}`),
    ".SH SYNOPSIS",
    `.B ${escape(program)}`,
    ".I COMMAND",
    ".RI [ OPTION... ]",
    ".br",
    ".B cargo credential-keyring",
    ".I COMMAND",
    ".RI [ OPTION... ]",
    ...page.before.flatMap(section),
    ".SH COMMANDS",
    ...(await Promise.all(
      commands.map((name) => describe(name, page.parser)),
    )).flat(),
    ...page.after.flatMap(section),
    "",
  ].join("\n");
}

function section({ title, body }: ManSection): string[] {
  return [
    macro(".SH", title),
    ...body.flatMap((part, i) =>
      typeof part === "string"
        ? [...(i === 0 ? [] : [".PP"]), line(part)]
        : [".TP", bold(part.term), line(part.text)]
    ),
  ];
}

async function describe(
  name: string,
  parser: Parser<Mode, unknown, unknown>,
): Promise<string[]> {
  const doc = await getDocPageAsync(parser, [name]);
  if (doc === undefined) return [];
  const usage = formatUsage("x", doc.usage ?? []).slice("x ".length);
  const text = [doc.brief, doc.description].filter((message) =>
    message !== undefined
  );
  return [
    macro(".SS", usage),
    ...text.flatMap(paragraphs).slice(1), // a heading is a paragraph's start
    ...doc.sections.flatMap(({ entries }) =>
      entries.flatMap(({ term, description, choices }) => [
        ".TP",
        bold(formatUsageTerm(term)),
        [
          ...(description === undefined ? [] : [inline(description)]),
          ...(choices === undefined ? [] : [`one of ${inline(choices)}`]),
        ].join("; "),
      ])
    ),
    ...(doc.footer === undefined ? [] : paragraphs(doc.footer)),
  ];
}

/**
 * An empty line in a message begins a paragraph, a line break a line; a line
 * that stands in does so here.
 */
function paragraphs(message: Message): string[] {
  return inline(message).split(/\n\n+/).flatMap((paragraph) => [
    ".PP",
    ...paragraph.split("\n").filter((line) => line.trim() !== "").flatMap(
      (line, i) =>
        line.startsWith(" ")
          ? [".RS 4", protect(line.trim()), ".RE"]
          : i === 0
          ? [line]
          : [".br", line],
    ),
  ]);
}

function inline(message: Message): string {
  return message.map(term).join("").split("\n").map(protect).join("\n");
}

function term(term: MessageTerm): string {
  switch (term.type) {
    case "text":
      // One line break is a space, as in the help text.
      return code(term.text.replaceAll(/(?<!\n)\n(?!\n)/g, " "));
    case "lineBreak":
      return "\n";
    case "metavar":
      return `\\fI${escape(term.metavar)}\\fR`;
    case "optionName":
      return bold(term.optionName);
    case "optionNames":
      return term.optionNames.map(bold).join(", ");
    case "value":
      return bold(term.value);
    case "values":
      return term.values.map(bold).join(", ");
    case "envVar":
      return bold(term.envVar);
    case "commandLine":
      return bold(term.commandLine);
    case "url":
      return escape(term.url.href);
  }
}

/** Bold is what stands in backticks. */
function code(text: string): string {
  return text.split("`").map((part, i) =>
    i % 2 === 0 ? escape(part) : bold(part)
  )
    .join("");
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

/** A macro with its arguments. */
function macro(name: string, ...words: readonly string[]): string {
  const quoted = words.map((word) => `"${escape(word).replaceAll('"', '""')}"`);
  return [name, ...quoted].join(" ");
}

function line(text: string): string {
  return protect(code(text));
}

/** Text of which roff takes nothing for an instruction. */
function escape(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll(
      /[^\x20-\x7e\n]/gu,
      (character) =>
        `\\[u${
          character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")
        }]`,
    );
}

/** At the start of a line a full stop or an apostrophe begins an instruction. */
function protect(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
