import { guardMemory } from "../base/guard_memory.ts";
export { exitNow } from "../../ffi/exit_now.ts";
import { ownStdout } from "../base/print.ts";
import { Deadline } from "../base/deadline.ts";
import { serve } from "../protocol/serve.ts";
import { headStart } from "./head_start.ts";

/**
 * Speaks the protocol on standard input and output until cargo is done.
 *
 * Returns when the input has ended, nobody reads the answers, or a request has
 * passed its deadline: then something hangs, and the caller ends the process.
 */
export async function runProvider(): Promise<void> {
  let overdue = false;
  // Before anybody can send a token, and before a library is opened.
  guardMemory();
  // What fails beside a request has no say in its answer.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
  });
  await serve({
    // Handing it to another thread takes longer than cargo takes to ask.
    input: { read: (buffer) => Promise.resolve(Deno.stdin.readSync(buffer)) },
    output: ownStdout(),
    handle: async (request) => {
      using deadline = new Deadline();
      if (request.kind === "get") await headStart(deadline.signal);
      const { answer } = await import("./answer.ts");
      const answered = await answer(request, deadline);
      overdue = deadline.signal.aborted;
      return answered;
    },
    isOver: () => overdue,
  });
}
