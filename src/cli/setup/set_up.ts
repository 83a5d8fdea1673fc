import { joinPath } from "../../base/paths.ts";
import { type ConfigLayers, valueAt } from "../../cargo/config.ts";
import { CRATES_IO_INDEX } from "../../cargo/registries.ts";
import { editToml } from "../../toml/edit.ts";
import { loadTomlParser } from "../../toml/document.ts";
import { gatherFacts } from "../../doctor/facts.ts";
import { chainFinding, setupFindings } from "../../doctor/findings.ts";
import { doctorRows } from "../../doctor/report.ts";
import { migrate } from "../commands/migrate.ts";
import type { SetupArguments } from "../commands/setup.ts";
import { exitStatus, type RegistryResult, report } from "../report.ts";
import type { CommandSession } from "../session.ts";
import { SessionError } from "../session.ts";
import { planConfig, showChange, writeChange } from "./config_file.ts";
import {
  copyProgram,
  findOwnProgram,
  findWindowsProgram,
} from "./own_program.ts";
import { putProvider } from "./provider_entry.ts";
import { replaceFile } from "./write_file.ts";

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
  const { output } = session;
  const home = await session.home();
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
  if (program.copyFrom !== undefined) {
    output.print(`The program is copied to ${program.path}.`);
  }
  if (isNew) showChange(change, session);
  if (isNew || program.copyFrom !== undefined) {
    if (args.dryRun) return 0;
    await ask(args, session, "Go on?");
    if (program.copyFrom !== undefined) {
      await copyProgram(program.copyFrom, program.path);
    }
    if (isNew) await writeChange(change);
  } else {
    output.print(`${change.path} names ${program.path} already.`);
    if (args.dryRun) return 0;
  }
  const after = session.fresh();
  if (program.isForeign) {
    // Its store is not this system's: nothing here is moved, or could be found.
    output.print(
      `Cargo asks ${program.path}. \`cargo login\` stores tokens there; those ` +
        "of this side stay where they are.",
    );
    return 0;
  }
  await offerSystemd(args, after);
  const status = await moveTokens(args, after);
  await describeReach(after.fresh());
  return status;
}

async function ask(
  args: SetupArguments,
  session: CommandSession,
  question: string,
): Promise<void> {
  if (args.yes) return;
  if (!await session.isPersonPresent()) {
    throw new SessionError(
      "nobody is there to confirm this; `--yes` confirms it",
    );
  }
  if (!await session.confirm(question)) {
    throw new SessionError("nothing was changed");
  }
}

/** A question that only a person answers; nobody there is a no. */
async function wants(
  args: SetupArguments,
  session: CommandSession,
  question: string,
): Promise<boolean> {
  return !args.yes && !args.dryRun && await session.isPersonPresent() &&
    await session.confirm(question);
}

async function chooseProgram(
  args: SetupArguments,
  session: CommandSession,
  home: string,
): Promise<{ path: string; copyFrom?: string; isForeign?: boolean }> {
  const windows = findWindowsProgram(session.env);
  if (
    windows !== undefined &&
    await wants(
      args,
      session,
      `Use the Windows program ${windows}? Both sides then have one store, ` +
        "the Windows Credential Manager.",
    )
  ) return { path: windows, isForeign: true };
  const program = findOwnProgram({ cargoHome: home, here: args.here });
  if (program.kind === "refused") throw new SessionError(program.reason);
  const { path, copyFrom } = program;
  return { path, ...(copyFrom === undefined ? {} : { copyFrom }) };
}

/** Whether cargo joins another list of the user's to that of the home. */
function isListedElsewhere(layers: ConfigLayers, home: string): boolean {
  const own = [joinPath(home, "config"), joinPath(home, "config.toml")];
  return layers.files.some(({ layer, path, values }) =>
    layer === "user" && !own.includes(path) &&
    valueAt(values, LIST) !== undefined
  );
}

/** On a server without a Secret Service: the store that systemd has. */
async function offerSystemd(
  args: SetupArguments,
  session: CommandSession,
): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const place = await session.storeOf({ indexUrl: CRATES_IO_INDEX }, false);
  if (place.settings.store !== "auto") return;
  const prepared = await place.store.prepare({ signal: place.deadline() });
  if (prepared.kind !== "unreachable") return;
  const home = await session.home();
  const { SystemdStore } = await import("../../stores/systemd.ts");
  const systemd = new SystemdStore(home);
  const ready = await systemd.prepare({ signal: place.deadline() });
  // What is missing is said at the end.
  if (ready.kind !== "ready") return;
  const path = joinPath(home, "credential-keyring.toml");
  if (
    !await wants(
      args,
      session,
      `There is no Secret Service (${prepared.reason}), and systemd can ` +
        "encrypt the tokens for this machine. Use that (" +
        `\`store = "systemd"\` in ${path})?`,
    )
  ) return;
  const text = await Deno.readTextFile(path).catch(() => "");
  const edit = editToml(await loadTomlParser(), text, {
    kind: "set",
    path: ["store"],
    value: "systemd",
  });
  if ("refused" in edit) throw new SessionError(`${path} cannot be edited`);
  await replaceFile(path, edit.text.replace(/[^\n]$/, "$&\n"), {
    mode: 0o644,
  });
}

const MOVE_ALL = {
  registry: [],
  index: undefined,
  from: undefined,
  dryRun: false,
  keepFile: false,
  json: false,
} as const;

/** Moves the plaintext tokens, if the user wants that; tells apart two. */
async function moveTokens(
  args: SetupArguments,
  session: CommandSession,
): Promise<number> {
  const planned = await migrate(
    { ...MOVE_ALL, dryRun: true, prefer: args.prefer, yes: args.yes },
    session,
  );
  const movable = planned.filter(({ outcome }) => outcome === "would-migrate");
  const conflicts = planned.filter(({ outcome }) => outcome === "conflict");
  if (movable.length + conflicts.length === 0) return 0;
  const names = [...movable, ...conflicts].map(({ registry }) => registry);
  const question = `Move the plaintext token${
    names.length === 1 ? "" : "s"
  } of ${names.join(", ")} into the store?`;
  if (
    !args.yes &&
    !(await session.isPersonPresent() && await session.confirm(question))
  ) {
    session.output.print(
      "The tokens stay in the file until cargo needs them; " +
        "`cargo-credential-keyring migrate` moves them.",
    );
    return 0;
  }
  const results = await migrate(
    { ...MOVE_ALL, prefer: args.prefer, yes: args.yes },
    session.fresh(),
  );
  const settled: RegistryResult[] = [];
  for (const result of results) {
    settled.push(
      ...result.outcome === "conflict"
        ? await settle(result, args, session)
        : [result],
    );
  }
  report(settled, false, session.output);
  return exitStatus(settled);
}

/** Two different tokens: the user says which one lives. */
async function settle(
  conflict: RegistryResult,
  args: SetupArguments,
  session: CommandSession,
): Promise<readonly RegistryResult[]> {
  for (const prefer of ["file", "store"] as const) {
    const other = prefer === "file" ? "store" : "file";
    if (
      await wants(
        args,
        session,
        `${conflict.registry}: the file and the store hold different tokens. ` +
          `Keep that of the ${prefer} and discard that of the ${other}?`,
      )
    ) {
      return await migrate({
        ...MOVE_ALL,
        registry: [conflict.registry],
        prefer,
        yes: true,
      }, session.fresh());
    }
  }
  return [conflict];
}

/** What cargo will do, worked out from the files as they are now. */
async function describeReach(session: CommandSession): Promise<void> {
  const { output } = session;
  const facts = await gatherFacts(session);
  const found = setupFindings(facts);
  if (found.length > 0) output.printRows(doctorRows(found));
  const asked = (facts.overview?.registries ?? []).filter((registry) =>
    registry.indexUrl !== undefined &&
    chainFinding(registry, facts) === undefined
  ).map(({ name }) => name);
  if (asked.length > 0) {
    output.print(
      `Cargo asks this program for ${[...new Set(asked)].join(", ")}.`,
    );
  }
}
