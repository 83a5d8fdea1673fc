import { encodeAnswer, HELLO } from "./encode_answer.ts";
import { type ByteReader, type InputLine, readLines } from "./lines.ts";
import type { Answer, CredentialRequest } from "./messages.ts";
import { parseRequest } from "./parse_request.ts";

/** A sink of bytes. */
export interface ByteWriter {
  /** Writes some of the bytes. */
  writeSync(bytes: Uint8Array<ArrayBuffer>): number;
}

/** What {@linkcode serve} talks through. */
export interface ServeOptions {
  /** Where cargo's requests come from. */
  readonly input: ByteReader;
  /** Where the answers go: the protocol's own, nothing else writes there. */
  readonly output: ByteWriter;
  /**
   * Answers a request. A throw is a mistake in this program: it is answered
   * with an error that shows nothing of it.
   */
  readonly handle: (request: CredentialRequest) => Promise<Answer>;
  /**
   * Asked after every answer: whether the conversation ends there.
   *
   * @default {() => false}
   */
  readonly isOver?: () => boolean;
}

/** Writes all of the bytes. `false`: nobody reads any more. */
function send(
  output: ByteWriter,
  bytes: Uint8Array<ArrayBuffer>,
): boolean {
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += output.writeSync(bytes.subarray(sent));
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

async function answerTo(
  line: InputLine,
  handle: ServeOptions["handle"],
): Promise<Answer> {
  if (line.kind === "too-long") {
    return {
      kind: "other",
      message: "malformed request: the line is over 16 MiB long",
    };
  }
  const parsed = parseRequest(line.bytes);
  if (parsed.kind === "refused") return parsed.answer;
  try {
    return await handle(parsed.request);
  } catch (error) {
    return {
      kind: "other",
      message: `${describeFailure(error)}; ` +
        "nothing was changed that is not named above",
    };
  }
}

/**
 * A clause for a mistake in this program. The error's message may hold
 * anything; its class cannot hold a token.
 */
export function describeFailure(error: unknown): string {
  const name = error instanceof Error ? error.constructor.name : "exception";
  return `cargo-credential-keyring has failed (${name})`;
}

/**
 * Speaks cargo's credential-provider protocol until the end of the input: a
 * hello, then one line of answer for each line of request (cargo:
 * `src/cargo/util/credential/process.rs`). A reader that is gone ends it
 * quietly.
 */
export async function serve(options: ServeOptions): Promise<void> {
  if (!send(options.output, HELLO)) return;
  for await (const line of readLines(options.input)) {
    const answer = await answerTo(line, options.handle);
    const bytes = encodeAnswer(answer);
    const heard = send(options.output, bytes);
    bytes.fill(0);
    if (answer.kind === "token") answer.token.wipe();
    if (!heard || options.isOver?.()) return;
  }
}
