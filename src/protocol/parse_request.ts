import { Secret } from "../base/secret.ts";
import type {
  CredentialRequest,
  ErrorAnswer,
  Operation,
  Registry,
} from "./messages.ts";

/** The protocol version that is spoken (cargo: `PROTOCOL_VERSION_1`). */
export const PROTOCOL_VERSION = 1;

/** What became of a line of input. */
export type ParsedLine =
  | { readonly kind: "request"; readonly request: CredentialRequest }
  /** Nothing to act on, and what to answer instead. */
  | { readonly kind: "refused"; readonly answer: ErrorAnswer };

type JsonObject = Readonly<Record<string, unknown>>;

/** Says what is wrong with a request, and never what stood there. */
class MalformedRequest extends Error {
  override name = "MalformedRequest";
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value that reaches C strings and other programs: no NUL, no half of a surrogate pair. */
function checkText(value: unknown, field: string): string {
  if (typeof value !== "string") {
    throw new MalformedRequest(`\`${field}\` must be a string`);
  }
  if (!value.isWellFormed() || value.includes("\0")) {
    throw new MalformedRequest(`\`${field}\` must be text without NUL`);
  }
  return value;
}

function required(object: JsonObject, field: string): string {
  if (!Object.hasOwn(object, field)) {
    throw new MalformedRequest(`\`${field}\` is missing`);
  }
  return checkText(object[field], field);
}

/** `null` counts as absent, as it does for cargo's `Option` fields. */
function optional(object: JsonObject, field: string): string | undefined {
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  return value === undefined || value === null
    ? undefined
    : checkText(value, field);
}

function textList(object: JsonObject, field: string): readonly string[] {
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new MalformedRequest(`\`${field}\` must be a list of strings`);
  }
  return value.map((element) => checkText(element, field));
}

function parseRegistry(value: unknown): Registry {
  if (!isObject(value)) {
    throw new MalformedRequest("`registry` must be an object");
  }
  const indexUrl = required(value, "index-url");
  if (indexUrl === "") throw new MalformedRequest("`index-url` is empty");
  const name = optional(value, "name");
  return {
    indexUrl,
    ...(name === undefined ? {} : { name }),
    headers: textList(value, "headers"),
  };
}

function parseOperation(message: JsonObject): Operation {
  const kind = required(message, "operation");
  switch (kind) {
    case "read":
      return { kind };
    case "publish":
      return {
        kind,
        name: required(message, "name"),
        vers: required(message, "vers"),
        cksum: required(message, "cksum"),
      };
    case "yank":
    case "unyank":
      return {
        kind,
        name: required(message, "name"),
        vers: required(message, "vers"),
      };
    case "owners":
      return { kind, name: required(message, "name") };
    default:
      return { kind: "unknown" };
  }
}

function parseMessage(message: unknown): ParsedLine {
  if (!isObject(message)) {
    throw new MalformedRequest("a request must be an object");
  }
  if (message["v"] !== PROTOCOL_VERSION) {
    throw new MalformedRequest(
      typeof message["v"] === "number"
        ? `unsupported protocol version ${message["v"]}`
        : "`v` must be a protocol version",
    );
  }
  const registry = parseRegistry(message["registry"]);
  const args = textList(message, "args");
  const kind = required(message, "kind");
  switch (kind) {
    case "get": {
      const operation = parseOperation(message);
      return { kind: "request", request: { kind, registry, operation, args } };
    }
    case "login": {
      const token = optional(message, "token");
      const loginUrl = optional(message, "login-url");
      return {
        kind: "request",
        request: {
          kind,
          registry,
          ...(token === undefined ? {} : { token: Secret.fromString(token) }),
          ...(loginUrl === undefined ? {} : { loginUrl }),
          args,
        },
      };
    }
    case "logout":
      return { kind: "request", request: { kind, registry, args } };
    default:
      return { kind: "refused", answer: { kind: "operation-not-supported" } };
  }
}

/**
 * Reads one line of cargo's requests.
 *
 * Fields that the protocol does not name are ignored, as cargo's own helper
 * crate does (`credential/cargo-credential/src/lib.rs`). What is wrong with a
 * line is told by the name of a field, never by its content: a line may hold a
 * token.
 *
 * `line`: the line's bytes, without its ending.
 */
export function parseRequest(line: Uint8Array): ParsedLine {
  let message: unknown;
  try {
    message = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(line),
    );
  } catch {
    // The parser's own message quotes the text.
    return refuse("the request is not a line of JSON");
  }
  try {
    return parseMessage(message);
  } catch (error) {
    if (error instanceof MalformedRequest) return refuse(error.message);
    throw error;
  }
}

function refuse(message: string): ParsedLine {
  return {
    kind: "refused",
    answer: { kind: "other", message: `malformed request: ${message}` },
  };
}
