import { joinPath } from "../../base/paths.ts";
import { type ConfigLayers, valueAt } from "../../cargo/config.ts";
import { providerChain } from "../../cargo/provider_chain.ts";
import { CRATES_IO_INDEX } from "../../cargo/registries.ts";
import { gatherFacts } from "../../doctor/facts.ts";
import {
  chainFinding,
  type DoctorFacts,
  setupFindings,
} from "../../doctor/findings.ts";
import { doctorRows } from "../../doctor/report.ts";
import type { SetupArguments } from "../commands/setup.ts";
import { jsonLine } from "../report.ts";
import type { CommandSession } from "../session.ts";
import { SessionError } from "../session.ts";
import {
  type ConfigChange,
  planConfig,
  showChange,
  writeChange,
} from "./config_file.ts";
import { askConsent, type Consent, wants } from "./consent.ts";
import { moveTokens, NOTHING_MOVED } from "./move_tokens.ts";
import { offerSystemd } from "./offer_systemd.ts";
import {
  copyProgram,
  findOwnProgram,
  findWindowsProgram,
} from "./own_program.ts";
import { rememberCopy } from "./program_copy.ts";
import { putProvider } from "./provider_entry.ts";
import { type ProgramResult, setupJson } from "./setup_report.ts";

/** Cargo's own providers, which read the same items as this program. */
export const PLATFORM_PROVIDERS: Readonly<Partial<Record<string, string>>> = {
  linux: "cargo:libsecret",
  darwin: "cargo:macos-keychain",
  windows: "cargo:wincred",
};

const LIST = ["registry", "global-credential-providers"] as const;

/** Makes the program cargo's provider, and offers to move the tokens. */
export async function setUp(
  args: SetupArguments,
  session: CommandSession,
): Promise<number> {
  const home = await session.home();
  // A setting that is wrong ends this before anything is changed.
  await session.storeOf({ indexUrl: CRATES_IO_INDEX }, false);
  const program = await chooseProgram(args, session, home);
  const layers = await session.config();
  const change = await planConfig(
    session,
    (toml, text) =>
      putProvider(toml, text, {
        program: program.path,
        platformProvider: PLATFORM_PROVIDERS[Deno.build.os],
        isListedElsewhere: isListedElsewhere(layers, home),
      }),
  );
  const isNew = change.after !== change.before;
  if (!args.json) showPlan(program, change, session);
  const consent = isNew || program.copyFrom !== undefined || args.dryRun
    ? await askConsent(args, session)
    : "given";
  if (consent === "given") {
    if (program.copyFrom !== undefined) {
      await rememberCopy(home, program.copyFrom);
      await copyProgram(program.copyFrom, program.path);
    }
    if (isNew) await writeChange(change);
  }
  const after = consent === "given"
    ? session.fresh()
    : session.planned(change.after);
  const { isForeign = false } = program;
  if (isForeign && !args.json) {
    session.output.print(
      `Cargo asks ${program.path}. \`cargo login\` stores tokens there; those ` +
        "of this side stay where they are.",
    );
    return 0;
  }
  // Another system's store: nothing here is moved, or could be found.
  if (consent === "given" && !isForeign) await offerSystemd(args, after);
  const { results, status } = isForeign
    ? NOTHING_MOVED
    : await moveTokens(args, after, consent);
  const facts = await gatherReach(after, program, consent);
  if (args.json) {
    const outcome = {
      path: program.path,
      outcome: outcomeOf(program, consent),
    };
    session.output.print(
      jsonLine(
        setupJson({ program: outcome, change, consent, facts, results }),
      ),
    );
  } else {
    describeReach(facts, consent, session);
  }
  return consent === "needs-yes" ? 1 : status;
}

/** What cargo is to start, and whether it has to be put there. */
interface ChosenProgram {
  readonly path: string;
  readonly copyFrom?: string;
  /** That of Windows, in WSL. */
  readonly isForeign?: boolean;
}

function showPlan(
  { path, copyFrom }: ChosenProgram,
  change: ConfigChange,
  session: CommandSession,
): void {
  const isNew = change.after !== change.before;
  if (copyFrom !== undefined) {
    session.output.print(`The program is copied to ${path}.`);
  }
  if (isNew) {
    showChange(change, session);
  } else if (copyFrom === undefined) {
    session.output.print(`${change.path} names ${path} already.`);
  }
}

const COPIES: Readonly<Record<Consent, ProgramResult["outcome"]>> = {
  "given": "copied",
  "dry-run": "would-copy",
  "needs-yes": "needs-yes",
};

function outcomeOf(
  { copyFrom, isForeign = false }: ChosenProgram,
  consent: Consent,
): ProgramResult["outcome"] {
  if (isForeign) return "foreign";
  return copyFrom === undefined ? "in-place" : COPIES[consent];
}

async function chooseProgram(
  args: SetupArguments,
  session: CommandSession,
  home: string,
): Promise<ChosenProgram> {
  const windows = findWindowsProgram(session.env);
  if (
    windows !== undefined &&
    (await isAsked(windows, session) || await wants(
      args,
      session,
      `Use the Windows program ${windows}? Both sides then have one store, ` +
        "the Windows Credential Manager.",
    ))
  ) return { path: windows, isForeign: true };
  const program = findOwnProgram({ cargoHome: home, here: args.here });
  if (program.kind === "refused") throw new SessionError(program.reason);
  const { path, copyFrom } = program;
  return { path, ...(copyFrom === undefined ? {} : { copyFrom }) };
}

/** Whether cargo asks a program for crates.io already. */
async function isAsked(
  path: string,
  session: CommandSession,
): Promise<boolean> {
  const layers = await session.config();
  return providerChain(layers, { indexUrl: CRATES_IO_INDEX }).entries
    .some(({ program }) => program === path);
}

/** Whether cargo joins another list of the user's to that of the home. */
function isListedElsewhere(layers: ConfigLayers, home: string): boolean {
  const own = [joinPath(home, "config"), joinPath(home, "config.toml")];
  return layers.files.some(({ layer, path, values }) =>
    layer === "user" && !own.includes(path) &&
    valueAt(values, LIST) !== undefined
  );
}

/** What cargo will do, worked out from the files as they are, or would be. */
async function gatherReach(
  session: CommandSession,
  { path, copyFrom }: ChosenProgram,
  consent: Consent,
): Promise<DoctorFacts> {
  const facts = await gatherFacts(session);
  // What has yet to be copied is not missing.
  return consent === "given" || copyFrom === undefined ? facts : {
    ...facts,
    missingPrograms: facts.missingPrograms
      .filter(({ program }) => program !== path),
  };
}

function describeReach(
  facts: DoctorFacts,
  consent: Consent,
  { output }: CommandSession,
): void {
  const found = setupFindings(facts);
  if (found.length > 0) output.printRows(doctorRows(found));
  const asked = (facts.overview?.registries ?? []).filter((registry) =>
    registry.indexUrl !== undefined &&
    chainFinding(registry, facts) === undefined
  ).map(({ name }) => name);
  if (asked.length === 0) return;
  output.print(
    `Cargo ${consent === "given" ? "asks" : "would ask"} this program for ${
      [...new Set(asked)].join(", ")
    }.`,
  );
}
