import { executablePath } from "../../base/executable.ts";
import { type ConfigLayers, valueAt } from "../../cargo/config.ts";
import { providerChain, reachesUs } from "../../cargo/provider_chain.ts";
import { CRATES_IO_INDEX, type RegistryRef } from "../../cargo/registries.ts";
import {
  describeStoreFailure,
  type StoreFailure,
} from "../../stores/credential_store.ts";
import { ownNames, ownRegistries } from "../../tokens/names.ts";
import { editToml } from "../../toml/edit.ts";
import { run as restore } from "../commands/restore.ts";
import type { SetupArguments } from "../commands/setup.ts";
import { gatherFacts } from "../../doctor/facts.ts";
import { jsonLine } from "../report.ts";
import type { CommandSession } from "../session.ts";
import {
  type ConfigChange,
  planConfig,
  showChange,
  writeChange,
} from "./config_file.ts";
import { askConsent, type Consent } from "./consent.ts";
import {
  decideCopy,
  findCopy,
  isHeld,
  type KeptBecause,
  type ProgramCopy,
  removeCopy,
} from "./program_copy.ts";
import { takeProvider } from "./provider_entry.ts";
import { PLATFORM_PROVIDERS } from "./set_up.ts";
import {
  type LeftToken,
  type ProgramResult,
  undoJson,
} from "./setup_report.ts";

const LIST = ["registry", "global-credential-providers"] as const;

/**
 * Takes the program out of cargo's configuration, and tells what then needs
 * it: tokens that only the store holds. The copy that setup has made goes, if
 * nothing needs it.
 */
export async function undo(
  args: SetupArguments,
  session: CommandSession,
): Promise<number> {
  const { output } = session;
  const home = await session.home();
  const change = await planConfig(session, takeProvider);
  const copy = await findCopy(home);
  const isNamed = change.after !== change.before;
  const isCopied = copy.origin === "setup";
  if (!args.json) {
    if (isNamed) showChange(change, session);
    else output.print(`${change.path} does not name this program.`);
    if (isCopied) {
      output.print(
        `The copy of the program in ${copy.path} is removed, unless ` +
          "something still needs it.",
      );
    }
    if (args.dryRun || !isNamed && !isCopied) return 0;
  }
  const consent = isNamed || isCopied || args.dryRun
    ? await askConsent(args, session)
    : "given";
  const { stored, failure } = await storedRegistries(session);
  if (consent === "given" && isNamed) await writeChange(change);
  const after = consent === "given"
    ? session.fresh()
    : session.planned(change.after);
  const layers = await after.config();
  const isReached = (ref: RegistryRef): boolean =>
    reachesUs(layers, ref).kind === "listed";
  const undone: Undone = {
    home,
    change,
    copy,
    consent,
    lost: stored.filter((ref) => !isReached(ref)),
    ...(failure === undefined ? {} : { failure }),
    reached: ownRegistries(layers, after.cwd()).filter(isReached),
  };
  return args.json
    ? await reportUndone(undone, after)
    : await describeUndone(undone, args, after);
}

/** What was done, or would be. */
interface Undone {
  readonly home: string;
  readonly change: ConfigChange;
  readonly copy: ProgramCopy;
  readonly consent: Consent;
  /** What the store holds for registries that do not reach the program. */
  readonly lost: readonly RegistryRef[];
  /** Why it may hold more. */
  readonly failure?: StoreFailure;
  /** The registries that still reach the program. */
  readonly reached: readonly RegistryRef[];
}

async function reportUndone(
  undone: Undone,
  after: CommandSession,
): Promise<number> {
  const { change, consent, lost, failure } = undone;
  const layers = await after.config();
  const left = lost.map((ref): LeftToken => {
    const [name = ref.name] = ownNames(layers, after.cwd(), ref.indexUrl);
    return {
      registry: name ?? ref.indexUrl,
      indexUrl: ref.indexUrl,
      foundBy: foundBy(layers, ref),
    };
  });
  const isNeeded = failure !== undefined ||
    left.some(({ foundBy }) => foundBy === undefined);
  after.output.print(
    jsonLine(
      undoJson({
        program: await dropCopy(undone, isNeeded),
        change,
        consent,
        facts: await gatherFacts(after),
        left: failure === undefined ? left : undefined,
      }),
    ),
  );
  return consent === "needs-yes" ? 1 : 0;
}

async function describeUndone(
  undone: Undone,
  args: SetupArguments,
  after: CommandSession,
): Promise<number> {
  const { output } = after;
  const { reached, lost, failure } = undone;
  // Setup was not the only one who named it.
  output.print(
    reached.length === 0
      ? "Cargo does not ask this program any more."
      : `Cargo still asks this program for ${namesOf(reached)}: what names ` +
        "it there is not from setup.",
  );
  let remains: Remains = { isNeeded: failure !== undefined, status: 0 };
  if (failure !== undefined) {
    output.printError(
      "warning: the store may still hold tokens, which cargo does not find " +
        `then: ${describeStoreFailure(failure)}`,
    );
  } else if (lost.length > 0) {
    output.print(`The store still holds tokens of ${namesOf(lost)}.`);
    remains = await keepReachable(args, after);
  }
  output.print(describeCopy(await dropCopy(undone, remains.isNeeded)));
  return remains.status;
}

/** What `setup --undo` leaves behind. */
interface Remains {
  /** Whether the store may hold tokens that this program alone finds. */
  readonly isNeeded: boolean;
  readonly status: number;
}

/** Removes the copy if that may be. */
async function dropCopy(
  { home, copy, reached, consent }: Undone,
  isNeeded: boolean,
): Promise<ProgramResult> {
  const { path, origin } = copy;
  const reason = decideCopy({
    origin,
    isAsked: reached.length > 0,
    isNeeded,
    isHeld: isHeld(path),
  });
  if (reason !== undefined) {
    const file = origin === "absent" ? executablePath() ?? path : path;
    return { path: file, outcome: "left", reason };
  }
  if (consent !== "given") {
    const outcome = consent === "dry-run" ? "would-remove" : consent;
    return { path, outcome, reason: null };
  }
  return await removeCopy(home)
    ? { path, outcome: "removed", reason: null }
    : { path, outcome: "left", reason: "cannot-be-removed" };
}

const KEPT: Readonly<Record<KeptBecause, string>> = {
  "not-from-setup": "setup has not put it there",
  "still-asked": "cargo still asks it",
  "needed":
    "it puts stored tokens back; `setup --undo` removes it once that is done",
  "running": "Windows does not remove a program that runs",
  "cannot-be-removed": "it cannot be removed",
};

function describeCopy({ path, outcome, reason }: ProgramResult): string {
  return outcome === "left" && reason !== undefined && reason !== null
    ? `The program is still ${path}: ${KEPT[reason]}.`
    : `Removed ${path}.`;
}

/** Cargo's own provider for the system, if cargo asks it for a registry. */
function foundBy(layers: ConfigLayers, ref: RegistryRef): string | undefined {
  const own = PLATFORM_PROVIDERS[Deno.build.os];
  return providerChain(layers, ref).entries
    .find(({ program }) => program === own)?.program;
}

/** What the store holds, as far as it can be told without a dialog. */
async function storedRegistries(
  session: CommandSession,
): Promise<
  { readonly stored: readonly RegistryRef[]; failure?: StoreFailure }
> {
  const { store, deadline } = await session.storeOf(
    { indexUrl: CRATES_IO_INDEX },
    false,
  );
  const listed = await store.list({ signal: deadline() });
  if (listed.kind === "items") {
    return { stored: listed.items };
  }
  // Where there is no store at all there is nothing to look for.
  return listed.storeExists ? { stored: [], failure: listed } : { stored: [] };
}

function namesOf(registries: readonly RegistryRef[]): string {
  return registries.map(({ name, indexUrl }) => name ?? indexUrl).join(", ");
}

/** Cargo's own provider reads the same items; else they go back to the file. */
async function keepReachable(
  args: SetupArguments,
  session: CommandSession,
): Promise<Remains> {
  const { output } = session;
  const own = PLATFORM_PROVIDERS[Deno.build.os];
  const mayAsk = !args.yes && await session.isPersonPresent();
  if (own !== undefined) {
    const change = await planConfig(session, (toml, text) => {
      const list = valueAt(toml.values(text), LIST);
      if (Array.isArray(list) && list.includes(own)) {
        return { kind: "unchanged" };
      }
      const added = editToml(toml, text, {
        kind: "add-item",
        path: LIST,
        item: own,
      });
      const edit = "refused" in added
        ? editToml(toml, text, {
          kind: "set",
          path: LIST,
          value: ["cargo:token", own],
        })
        : added;
      return "refused" in edit
        ? { kind: "refused", reason: edit.refused }
        : { kind: "edited", text: edit.text };
    });
    if (change.after === change.before) {
      output.print(`Cargo's own provider ${own} reads them.`);
      return { isNeeded: false, status: 0 };
    }
    if (
      mayAsk && await session.confirm(
        `Let cargo's own provider ${own} read them? It needs the store ` +
          "wherever cargo runs.",
      )
    ) {
      await writeChange(change);
      return { isNeeded: false, status: 0 };
    }
  }
  if (
    mayAsk && await session.confirm(
      "Put them back into cargo's credentials file, in PLAINTEXT?",
    )
  ) {
    const status = await restore(
      { registry: [], keepStore: false, dryRun: false, json: false },
      session,
    );
    return { isNeeded: status !== 0, status };
  }
  output.print(
    "Cargo does not find them until `cargo-credential-keyring restore` puts " +
      `them back${own === undefined ? "" : `, or \`${own}\` is its provider`}.`,
  );
  return { isNeeded: true, status: 0 };
}
