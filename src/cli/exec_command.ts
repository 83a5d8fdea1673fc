import type { ExecFailure } from "../../ffi/exec.ts";
import type { Secret } from "../base/secret.ts";
import { printError } from "../base/print.ts";
import { printable } from "../base/printable.ts";
import { CRATES_IO_NAME, environmentName } from "../cargo/registries.ts";
import { describeNoToken, lookUpToken } from "./look_up_token.ts";
import { Workplace, WorkplaceError } from "./workplace.ts";

/** What `exec` was asked to do. */
export interface ExecArgs {
  readonly registry: readonly string[];
  /** The program and its arguments. */
  readonly command: readonly string[];
}

// As shells and env(1) end.
const NOT_ALLOWED = 126;
const NOT_FOUND = 127;

/**
 * `exec`: runs a program that reads cargo's token variables itself, with the
 * tokens of the registries that are named, or of crates.io. The program runs
 * only if there is a token for each.
 *
 * @returns The exit status: on Windows the program's, elsewhere only if the
 * program could not take this process over.
 */
export async function execCommand(args: ExecArgs): Promise<number> {
  const [program, ...rest] = args.command;
  if (program === undefined) return NOT_FOUND;
  const variables = await collect(
    args.registry.length > 0 ? args.registry : [CRATES_IO_NAME],
  );
  if (variables === undefined) return 1;
  for (const [variable, token] of variables) {
    Deno.env.set(variable, token.reveal());
    token.wipe();
  }
  const failure = await run([program, ...rest]);
  if (typeof failure === "number") return failure;
  printError(`error: ${describeFailure(program, failure)}`);
  return failure.kind === "not-found" ? NOT_FOUND : NOT_ALLOWED;
}

/** The variables with their tokens; `undefined` if one has none: it was said. */
async function collect(
  names: readonly string[],
): Promise<ReadonlyMap<string, Secret> | undefined> {
  const variables = new Map<string, Secret>();
  try {
    const place = await Workplace.open();
    for (const name of new Set(names)) {
      const indexUrl = place.indexOf(name);
      const answer = indexUrl === undefined
        ? undefined
        : await lookUpToken(place, { name, indexUrl }, { environment: true });
      if (answer?.kind === "token") {
        variables.set(tokenVariable(name), answer.token);
        continue;
      }
      const why = answer === undefined
        ? "no configuration binds the name to an index."
        : describeNoToken(answer, place.path);
      printError(`error: \`${printable(name)}\`: ${why}`);
      return undefined;
    }
  } catch (error) {
    if (!(error instanceof WorkplaceError)) throw error;
    printError(`error: ${error.message}`);
    return undefined;
  }
  return variables;
}

/** The variable that cargo reads a registry's token from. */
function tokenVariable(name: string): string {
  return name === CRATES_IO_NAME
    ? "CARGO_REGISTRY_TOKEN"
    : `CARGO_REGISTRIES_${environmentName(name)}_TOKEN`;
}

async function run(
  command: readonly [string, ...string[]],
): Promise<number | ExecFailure> {
  if (Deno.build.os === "windows") {
    const { runProgram } = await import("../../ffi/create_process.ts");
    const end = await runProgram(command, Deno.env.get("PATH"));
    return end.kind === "ended" ? end.status : end;
  }
  const { replaceProcess } = await import("../../ffi/exec.ts");
  return replaceProcess(command);
}

function describeFailure(
  program: string,
  { kind, code }: ExecFailure,
): string {
  const name = `\`${printable(program)}\``;
  switch (kind) {
    case "not-found":
      return `${name} was not found`;
    case "not-allowed":
      return `${name} may not be run`;
    case "failed":
      return `${name} could not be run (os error ${code})`;
  }
}
