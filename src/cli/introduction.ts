import { isThisProgram, providerChain } from "../cargo/provider_chain.ts";
import { CRATES_IO_INDEX, CRATES_IO_NAME } from "../cargo/registries.ts";
import { PROGRAM, SUMMARY, VERSION } from "./program.ts";
import { type CommandSession, SessionError } from "./session.ts";

/**
 * What somebody reads who starts the program without arguments, in at most
 * eight lines: what it is, whether cargo uses it, and what to do first.
 */
export async function introduce(session: CommandSession): Promise<string[]> {
  return [
    `${PROGRAM} ${VERSION}`,
    `${SUMMARY}.`,
    "",
    ...await usage(session),
    "",
    `\`${PROGRAM} --help\` lists all commands.`,
  ];
}

async function usage(session: CommandSession): Promise<string[]> {
  const ref = { indexUrl: CRATES_IO_INDEX, name: CRATES_IO_NAME };
  try {
    await session.home();
    const { entries } = providerChain(await session.config(), ref);
    const us = entries.find((entry) => isThisProgram(entry));
    if (us !== undefined) {
      return [
        `Cargo asks it for tokens: ${us.where} lists it.`,
        `\`${PROGRAM} status\` shows where every token is.`,
      ];
    }
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    return [`Cargo cannot use it yet: ${error.message}.`];
  }
  return [
    "Cargo does not ask it for tokens yet.",
    `\`${PROGRAM} setup\` makes it do so, and shows what it changes first.`,
  ];
}
