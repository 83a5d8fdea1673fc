import { readRegularFile } from "../../base/files.ts";
import { joinPath } from "../../base/paths.ts";
import { chooseFile } from "../../cargo/choose_file.ts";
import { loadTomlParser, type TomlParser } from "../../toml/document.ts";
import type { CommandSession } from "../session.ts";
import { SessionError } from "../session.ts";
import { difference } from "./difference.ts";
import type { ConfigEdit } from "./provider_entry.ts";
import { replaceFile } from "./write_file.ts";

/** Cargo's own configuration file, and what it is to say. */
export interface ConfigChange {
  readonly path: string;
  /** What it says; empty if there is none. */
  readonly before: string;
  /** What it is to say. */
  readonly after: string;
  readonly toml: TomlParser;
}

/** Works out an edit of the configuration in cargo's home. */
export async function planConfig(
  session: CommandSession,
  edit: (toml: TomlParser, text: string) => ConfigEdit,
): Promise<ConfigChange> {
  const home = await session.home();
  const path = chooseFile(home, "config") ?? joinPath(home, "config.toml");
  const outcome = readRegularFile(path);
  if (outcome.kind === "unreadable") {
    throw new SessionError(`${path} cannot be read (${outcome.reason})`);
  }
  const before = outcome.kind === "text" ? outcome.text : "";
  const toml = await loadTomlParser();
  const result = edit(toml, before);
  switch (result.kind) {
    case "unchanged":
      return { path, before, after: before, toml };
    case "edited":
      return { path, before, after: result.text, toml };
    case "refused":
      throw new SessionError(
        result.reason === "malformed"
          ? `${path} is not valid TOML; cargo cannot read it either`
          : result.reason === "not-a-list"
          ? `\`registry.global-credential-providers\` in ${path} is not a list`
          : `${path} is written such that the list of providers has no place ` +
            "in it; add it by hand (see `cargo-credential-keyring setup --help`)",
      );
  }
}

/** Shows a change as a difference: the lines that go, and those that come. */
export function showChange(
  { path, before, after, toml }: ConfigChange,
  session: CommandSession,
): void {
  session.output.print(`${path}:`);
  for (const { sign, text } of difference(toml, before, after)) {
    session.output.print(`  ${sign} ${text}`);
  }
}

/** Writes a change, unless somebody else has changed the file meanwhile. */
export async function writeChange(
  { path, before, after }: ConfigChange,
): Promise<void> {
  const now = readRegularFile(path);
  if ((now.kind === "text" ? now.text : "") !== before) {
    throw new SessionError(`${path} has just been changed; try again`);
  }
  try {
    await replaceFile(path, after, { mode: 0o644 });
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    throw new SessionError(`${path} cannot be written (${name})`);
  }
}
