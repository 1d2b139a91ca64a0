/** The Query protocol of STS and IAM: parameters in, XML out. */
import type { WireFormat } from "./reply.ts";

const contentType = "text/xml";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** XML 1.0 has no way to write most control characters; AWS does not return them either. */
const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] ?? "").replace(/[^\t\n\r\u0020-\uFFFD]/g, "");

function element(name: string, value: unknown): string {
  if (value === undefined) return "";
  if (value instanceof Date) return `<${name}>${value.toISOString().replace(/\.\d+Z$/, "Z")}</${name}>`;
  if (Array.isArray(value)) return `<${name}>${value.map((item) => element("member", item)).join("")}</${name}>`;
  if (typeof value === "object" && value !== null) return `<${name}>${elements(value)}</${name}>`;
  return `<${name}>${escapeXml(String(value))}</${name}>`;
}

const elements = (value: object): string =>
  Object.entries(value)
    .map(([name, member]) => element(name, member))
    .join("");

/** AWS Query (docs/aws-kms-behaviour.md, "STS"): form parameters in, XML out. */
const awsQuery = (namespace: string): WireFormat => ({
  output: (operation, output, requestId) => ({
    status: 200,
    contentType,
    body:
      `<${operation}Response xmlns="${namespace}">${element(`${operation}Result`, output ?? {})}` +
      `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`,
  }),
  exception: ({ code, status, message }, requestId) => ({
    status,
    contentType,
    body:
      `<ErrorResponse xmlns="${namespace}"><Error><Type>${status >= 500 ? "Receiver" : "Sender"}</Type>` +
      `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error>` +
      `<RequestId>${requestId}</RequestId></ErrorResponse>`,
  }),
});

export const stsQuery = awsQuery("https://sts.amazonaws.com/doc/2011-06-15/");
export const iamQuery = awsQuery("https://iam.amazonaws.com/doc/2010-05-08/");

type Tree = Map<string, string | Tree>;

function insert(tree: Tree, path: readonly string[], value: string): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    tree.set(head, value);
    return;
  }
  const known = tree.get(head);
  const branch: Tree = known instanceof Map ? known : new Map();
  tree.set(head, branch);
  insert(branch, rest, value);
}

/** `Name.member.1 …` becomes a list, in order of the numbers. */
function toInput(node: string | Tree): unknown {
  if (typeof node === "string") return node;
  const members = node.get("member");
  if (node.size === 1 && members instanceof Map) {
    const numbered = [...members].sort(([left], [right]) => Number(left) - Number(right));
    return numbered.map(([, item]) => toInput(item));
  }
  return Object.fromEntries([...node].map(([name, item]) => [name, toInput(item)]));
}

/** Form parameters, without Action and Version, as the input of an operation. */
export function queryInput(parameters: URLSearchParams): unknown {
  const tree: Tree = new Map();
  for (const [name, value] of parameters) {
    const path = name.split(".", 8);
    if (name !== "Action" && name !== "Version" && !name.startsWith("X-Amz-")) insert(tree, path, value);
  }
  return toInput(tree);
}
