import type { CredentialRequest } from "../protocol/messages.ts";
import type { Session } from "../tokens/session.ts";
import { appendRecord, type RecordEntry } from "./record.ts";

/** As many digits of a checksum as tell two crates apart. */
const DIGITS = 16;

/** What the record says of a request. */
export function describeRequest(
  request: CredentialRequest,
  now: Date,
): Omit<RecordEntry, "source" | "outcome" | "directory"> {
  const { indexUrl, name } = request.registry;
  const operation = request.kind === "get"
    ? request.operation
    : { kind: request.kind };
  return {
    time: now.toISOString(),
    registry: name ?? null,
    index_url: indexUrl,
    operation: operation.kind,
    crate: "name" in operation ? operation.name : null,
    version: "vers" in operation ? operation.vers : null,
    cksum: "cksum" in operation ? operation.cksum.slice(0, DIGITS) : null,
  };
}

/** Writes down what became of a request, if that can be. */
export async function recordRequest(
  request: CredentialRequest,
  session: Session,
  entry: Pick<RecordEntry, "source" | "outcome">,
): Promise<void> {
  const home = await session.home();
  if (home === undefined) return;
  await appendRecord(home, {
    ...describeRequest(request, new Date()),
    ...entry,
    directory: session.cwd(),
  });
}
