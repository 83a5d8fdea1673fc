// Asks one question on the console, with the program's own permissions, and
// reports on standard error. What was typed goes to a file only.
import { WindowsTerminal } from "../../src/terminal/windows_terminal.ts";

interface Job {
  readonly file?: string;
  readonly limit?: number;
  readonly echo?: boolean;
  readonly question?: string;
}

const job: Job = JSON.parse(Deno.args[0] ?? "{}");
const terminal = new WindowsTerminal();
const print = (line: string): void => {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
};

print(`canAsk: ${terminal.canAsk}`);
const outcome = await terminal.prompt(job.question ?? "Token: ", {
  signal: AbortSignal.timeout(job.limit ?? 20_000),
  echo: job.echo ?? false,
});
if (outcome.kind === "line" && job.file !== undefined) {
  Deno.writeFileSync(job.file, outcome.line.bytes);
}
print(`outcome: ${outcome.kind}`);
