// Asks one question on the terminal, with the program's own permissions, and
// reports on standard error. What was typed goes to a file only.
import { PosixTerminal } from "../../src/terminal/posix_terminal.ts";

// Deno.kill needs a permission that the program has not.
const libc = Deno.dlopen("libc.so.6", {
  getpid: { parameters: [], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
}).symbols;

interface Job {
  readonly file?: string;
  readonly limit?: number;
  readonly echo?: boolean;
  readonly signal?: number;
  readonly question?: string;
}

const job: Job = JSON.parse(Deno.args[0] ?? "{}");
const terminal = new PosixTerminal();
const print = (line: string): void => {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
};

print(`canAsk: ${terminal.canAsk}`);
const { signal } = job;
if (signal !== undefined) {
  setTimeout(() => libc.kill(libc.getpid(), signal), 300);
}
const outcome = await terminal.prompt(job.question ?? "Token: ", {
  signal: AbortSignal.timeout(job.limit ?? 20_000),
  echo: job.echo ?? false,
});
if (outcome.kind === "line" && job.file !== undefined) {
  Deno.writeFileSync(job.file, outcome.line.bytes);
}
print(`outcome: ${outcome.kind}`);
