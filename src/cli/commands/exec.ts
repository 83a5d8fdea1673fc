import { object } from "@optique/core/constructs";
import { commandLine, envVar, message } from "@optique/core/message";
import { map, multiple } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { ExecFailure } from "../../../ffi/exec.ts";
import { giveStdoutBack } from "../../base/print.ts";
import type { Secret } from "../../base/secret.ts";
import { CRATES_IO_NAME, environmentName } from "../../cargo/registries.ts";
import type { Run } from "../command.ts";
import { registryName } from "../registry_name.ts";
import type { CommandSession } from "../session.ts";
import { examples } from "../options.ts";

export const parser = map(
  command(
    "exec",
    object({
      registry: multiple(option("--registry", registryName, {
        description:
          message`A registry whose token the program gets; can be given several times. Without it: crates-io`,
      })),
      command: multiple(
        argument(string({ metavar: "COMMAND" }), {
          description: message`The program and its arguments, behind ${
            commandLine("--")
          }`,
        }),
        { min: 1, errors: { tooFew: message`No program is named.` } },
      ),
    }),
    {
      brief: message`Run a program with tokens in its environment`,
      description: message`Runs a program that reads ${
        envVar("CARGO_REGISTRY_TOKEN")
      } or ${
        envVar("CARGO_REGISTRIES_NAME_TOKEN")
      } itself. It gets the tokens that cargo would use, and does not run if one of them is missing. It takes the place of this process, so that its exit status is the program's.`,
      footer: examples(
        "exec -- cargo workspaces publish",
        "exec --registry my-registry -- cargo binstall --registry my-registry tool",
      ),
      usageLine: (usage) => [
        ...usage.slice(0, -1),
        { type: "literal", value: "--" },
        ...usage.slice(-1),
      ],
    },
  ),
  (args): Run => (session) => run(args, session),
);

/** What is to be run, and with which tokens. */
export interface ExecArgs {
  readonly registry: readonly string[];
  /** The program and its arguments. */
  readonly command: readonly string[];
}

// As shells and env(1) end.
const NOT_ALLOWED = 126;
const NOT_FOUND = 127;

/**
 * Runs a program with tokens. It comes back with the program's exit status on
 * Windows; elsewhere only if the program could not take this process over.
 */
export async function run(
  args: ExecArgs,
  session: CommandSession,
): Promise<number> {
  const [program, ...rest] = args.command;
  if (program === undefined) return NOT_FOUND;
  const names = args.registry.length > 0 ? args.registry : [CRATES_IO_NAME];
  const variables = await collectVariables(names, session);
  if (variables === undefined) return 1;
  for (const [variable, token] of variables) {
    Deno.env.set(variable, token.reveal());
    token.wipe();
  }
  const end = await runProgram([program, ...rest]);
  if (typeof end === "number") return end;
  session.output.printError(`error: ${describeFailure(program, end)}`);
  return end.kind === "not-found" ? NOT_FOUND : NOT_ALLOWED;
}

/**
 * The variables that cargo reads tokens from, with the tokens; `undefined` if
 * one is missing, which has been said.
 */
async function collectVariables(
  names: readonly string[],
  session: CommandSession,
): Promise<ReadonlyMap<string, Secret> | undefined> {
  const { describeNoToken, lookUpByName } = await import("../look_up_token.ts");
  const variables = new Map<string, Secret>();
  for (const name of new Set(names)) {
    const answer = await lookUpByName(session, name);
    if (answer.kind !== "token") {
      const why = describeNoToken(answer, await session.path());
      session.output.printError(`error: \`${name}\`: ${why}`);
      return undefined;
    }
    const variable = name === CRATES_IO_NAME
      ? "CARGO_REGISTRY_TOKEN"
      : `CARGO_REGISTRIES_${environmentName(name)}_TOKEN`;
    const other = variables.get(variable);
    if (other !== undefined && !other.equals(answer.token)) {
      session.output.printError(
        `error: \`${name}\` and another registry have one variable, ` +
          `${variable}, and different tokens`,
      );
      return undefined;
    }
    variables.set(variable, answer.token);
  }
  return variables;
}

async function runProgram(
  command: readonly [string, ...string[]],
): Promise<number | ExecFailure> {
  if (Deno.build.os === "windows") {
    const { runProgram } = await import("../../../ffi/create_process.ts");
    const end = await runProgram(command, Deno.env.get("PATH"));
    return end.kind === "ended" ? end.status : end;
  }
  const { replaceProcess } = await import("../../../ffi/exec.ts");
  giveStdoutBack();
  return replaceProcess(command);
}

function describeFailure(program: string, { kind, code }: ExecFailure): string {
  switch (kind) {
    case "not-found":
      return `\`${program}\` was not found`;
    case "not-allowed":
      return `\`${program}\` may not be run`;
    case "failed":
      return `\`${program}\` could not be run (os error ${code})`;
  }
}
