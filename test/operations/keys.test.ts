/** `spire-aws-kms keys` as an operator meets it: what is asked, what is printed, the exit code. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { keyWithout, type Permission, type Run, region, settled, transcript, trustDomain, useDesk } from "./desk.ts";

const flags = ["--trust-domain", trustDomain, "--region", region];

interface Document {
  readonly format: string;
  readonly version: number;
  readonly regions: readonly {
    readonly region: string;
    readonly complete: boolean;
    readonly keys?: number;
    readonly failure?: string;
    readonly troubles: readonly { readonly permission?: string; readonly consequence: string }[];
  }[];
  readonly keys: readonly {
    readonly region: string;
    readonly class: string;
    readonly key_id: string;
    readonly why: string;
  }[];
  readonly aws_calls: { readonly total: number; readonly by_operation: Readonly<Record<string, number>> };
}

const document = ({ stdout }: Run): Document => JSON.parse(stdout);

describe("spire-aws-kms keys", () => {
  const desk = useDesk({ daysAgo: 30 });

  before(async () => {
    await desk.serverKey("dead", "x509-CA-A");
    const used = await desk.serverKey("living", "x509-CA-A");
    desk.pass(27);
    await desk.key();
    const pending = await desk.key();
    await desk.call("ScheduleKeyDeletion", { KeyId: pending, PendingWindowInDays: 7 });
    const disabled = await desk.serverKey("living", "JWT-Signer-A");
    await desk.call("DisableKey", { KeyId: disabled });
    const other = await desk.key({ Description: "billing" });
    await desk.call("CreateAlias", { AliasName: "alias/billing", TargetKeyId: other });
    desk.pass(3);
    // A minute before the present: its age is no day, and not none.
    await desk.refresh("living", "x509-CA-A", used);
    desk.today();
    await desk.serverKey("tokyo", "x509-CA-A", {}, { region: "ap-northeast-1" });
  });

  const run = (...args: readonly string[]) => desk.run(["keys", ...args]);

  it("shows every key, its state and why it is what it is", async () => {
    const args = [...flags, "--sort", "class,server,key", "--verbose"];
    assert.deepEqual(transcript(["keys", ...args], await run(...args), desk), [
      "$ spire-aws-kms keys --trust-domain example.org --region us-east-2 --sort class,server,key --verbose",
      "SERVER                                KEY             TYPE      STATE            CREATED     REFRESHED   STALE IN  DELETION    $/MONTH  CLASS",
      "living                                JWT-Signer-A    ec-p256   Disabled         DAY    3 d ago       10 d  -              1.00  unusable",
      "  the key is disabled; enable it (aws kms enable-key --key-id arn:aws:kms:us-east-2:111122223333:key/KEY-1) or delete the alias (aws kms delete-alias --alias-name alias/SPIRE_SERVER/example_org/living/JWT-Signer-A)",
      "dead                                  x509-CA-A       ec-p256   Enabled          DAY   30 d ago   16 d ago  -              1.00  stale",
      "  not refreshed for 30 days; the scans schedule it for deletion",
      "-                                     -               ec-p256   Enabled          DAY          -    1 d ago  -              1.00  orphaned",
      "  no alias stands on it, made 3 days ago; the scans schedule it for deletion",
      "living                                x509-CA-A       ec-p256   Enabled          DAY    0 h ago       13 d  -              1.00  in use",
      "-                                     -               ec-p256   PendingDeletion  DAY          -          -  DAY     0.00  pending deletion",
      "5 keys of 2 servers in us-east-2: 1 unusable, 1 stale, 1 orphaned, 1 in use, 1 pending deletion; $4.00 a month at list price; 2 would be scheduled for deletion by the scans; 1 key of others",
      "7 calls of AWS: 5 DescribeKey, 1 ListAliases, 1 ListKeys; never more than 200 a second",
      "exit 0",
    ]);
  });

  it("changes nothing, in KMS or on the disk", async () => {
    const before = JSON.stringify(desk.emulator.control.dump());
    await desk.write(
      "server.conf",
      `server { trust_domain = "${trustDomain}" }
      plugins { KeyManager "aws_kms" { plugin_data { region = "${region}" key_identifier_file = "./not-there" } } }`,
    );
    const files = await desk.files();
    const { code } = await run("--config", "server.conf");
    assert.equal(code, 0);
    assert.deepEqual(await desk.files(), files);
    assert.equal(JSON.stringify(desk.emulator.control.dump()), before);
  });

  it("sorts and filters, and counts what it shows", async () => {
    const { stdout } = await run(
      ...flags,
      "--sort",
      "-key,server",
      "--filter",
      "class!=pending deletion",
      "--filter",
      "server=*d*,living",
    );
    const rows = stdout.split("\n").filter((line) => /^(dead|living)/.test(line));
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(" ")),
      ["dead x509-CA-A", "living x509-CA-A", "living JWT-Signer-A"],
    );
    assert.match(stdout, /^3 shown of 5 keys/m);
    const problems = document(await run(...flags, "--problems", "--json"));
    assert.deepEqual(problems.keys.map(({ class: cls }) => cls).toSorted(), ["orphaned", "stale", "unusable"]);
  });

  it("prints one JSON object that says what it is", async () => {
    const result = await run(...flags, "--json");
    assert.equal(result.stderr, "");
    const { format, version, keys, regions, aws_calls } = document(result);
    assert.deepEqual([format, version, keys.length, regions.length], ["spire-aws-kms/keys", 1, 5, 1]);
    assert.deepEqual(aws_calls.by_operation, { DescribeKey: 5, ListAliases: 1, ListKeys: 1 });
  });

  it("shows keys of others when it is asked to", async () => {
    const { keys } = document(await run(...flags, "--foreign", "--json"));
    assert.deepEqual(
      keys.filter(({ class: cls }) => cls === "foreign").map(({ why }) => why),
      [`its description "billing" is not this trust domain's`],
    );
  });

  it("looks at every Region, and says where there is nothing", async () => {
    const { stdout, code } = await run(...flags, "--all-regions");
    assert.equal(code, 0);
    assert.match(stdout, /^ap-northeast-1 +tokyo/m);
    assert.match(stdout, /^1 key of 1 server in ap-northeast-1/m);
    assert.match(stdout, /^no key of example\.org in \d\d other Regions$/m);
  });

  it("looks again and again until it is stopped", async () => {
    // The second look has begun when the second line stands there.
    const { code, stdout } = await desk.run(["keys", ...flags, "--watch", "1", "--json"], { endAt: /\n.*\n/ });
    assert.equal(code, 143);
    const lines = stdout.trim().split("\n");
    assert.ok(lines.length >= 2);
    for (const line of lines) assert.equal(JSON.parse(line).format, "spire-aws-kms/keys");
  });

  const missing: Readonly<Partial<Record<Permission, { readonly keys: number; readonly says: RegExp }>>> = {
    "kms:ListAliases": { keys: 5, says: /kms:ListAliases is missing: which server a key belongs to/ },
    "kms:ListKeys": { keys: 3, says: /kms:ListKeys is missing: keys that no alias stands on, orphans above all/ },
    "kms:DescribeKey": { keys: 3, says: /kms:DescribeKey is missing: type, state and age of such keys are not known/ },
  };
  for (const [permission, { keys, says }] of Object.entries(missing)) {
    it(`goes on without ${permission}, and says so`, async () => {
      const env = { AWS_ACCESS_KEY_ID: keyWithout(permission as Permission) };
      const text = await desk.run(["keys", ...flags], { env });
      assert.equal(text.code, 4, text.stderr);
      assert.match(text.stderr, says);
      assert.match(text.stderr, new RegExp(`allow ${permission} for this identity`));
      const json = await desk.run(["keys", ...flags, "--json"], { env });
      assert.equal(json.code, 4);
      const [found] = document(json).regions;
      assert.deepEqual(
        found?.troubles.map((trouble) => trouble.permission),
        [permission],
      );
      assert.equal(found?.complete, false);
      assert.equal(document(json).keys.length, keys);
    });
  }

  it("fails in words when KMS cannot be reached, or does not know the caller", async () => {
    const away = await desk.run(["keys", ...flags], { env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9" } });
    assert.deepEqual([away.code, away.stdout], [1, ""]);
    assert.match(away.stderr, /^spire-aws-kms keys: .*ECONNREFUSED.*check the network, the endpoint and the region$/m);
    const stranger = await desk.run(["keys", ...flags, "--json"], { env: { AWS_ACCESS_KEY_ID: "AKIAUNKNOWN" } });
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /check access_key_id and secret_access_key/);
    assert.equal(JSON.parse(stranger.stdout).format, "spire-aws-kms/error");
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /--config: name SPIRE Server's server\.conf/],
    [["--trust-domain", "Example.org", "--region", region], /--trust-domain: "Example.org" is no trust domain/],
    [["--trust-domain", trustDomain], /region: configuration is missing a region/],
    [["--trust-domain", trustDomain, "--region", "us-east-2a"], /--region: is "us-east-2a"/],
    [["--config", "nowhere.conf"], /--config: .*nowhere\.conf cannot be read: ENOENT/],
    [["--config", "."], /cannot be read: EISDIR/],
    [[...flags, "--sort", "colour"], /--sort: "colour" is no column/],
    [[...flags, "--filter", "colour=red"], /--filter: "colour=red" is no filter/],
    [[...flags, "--rate", "0"], /expected a whole number from 1 to 2000/],
    [[...flags, "--nameless", "some"], /Allowed choices are auto, all, none/],
    [[...flags, "--chdir", "nowhere"], /--chdir: nowhere cannot be entered: ENOENT/],
    [["--bogus"], /unknown option '--bogus'/],
  ];
  for (const [args, says] of wrong) {
    it(`refuses ${args.join(" ") || "no arguments"}`, async () => {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(settled(stderr, desk), says);
    });
  }
});
