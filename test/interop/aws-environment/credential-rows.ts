/** Environments and shared files in which a server may look for credentials: each of some kinds with each of the others. */

/** One situation, as main.go takes it. */
export interface Row {
  readonly Env: Readonly<Record<string, string>>;
  readonly Config: string;
  readonly Credentials: string;
  readonly Profile: string;
}

type Variables = Readonly<Record<string, string>>;

const keys: readonly Variables[] = [
  {},
  { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "s" },
  { AWS_ACCESS_KEY: "AKIAOLD", AWS_SECRET_KEY: "s" },
  { AWS_ACCESS_KEY_ID: "AKIAHALF" },
  { AWS_ACCESS_KEY_ID: "", AWS_ACCESS_KEY: "AKIAMIXED", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" },
];

const profiles: readonly (Variables & { readonly setting?: string })[] = [
  {},
  { AWS_PROFILE: "p" },
  { AWS_DEFAULT_PROFILE: "p" },
  { AWS_PROFILE: "missing" },
  { AWS_DEFAULT_PROFILE: "missing" },
  { AWS_PROFILE: "p", AWS_DEFAULT_PROFILE: "default" },
  { AWS_PROFILE: "", AWS_DEFAULT_PROFILE: "p" },
  { setting: "p" },
  { setting: "missing", AWS_PROFILE: "p" },
];

const webIdentities: readonly Variables[] = [
  {},
  { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/w" },
  { AWS_WEB_IDENTITY_TOKEN_FILE: "/token" },
];

const machines: readonly Variables[] = [
  {},
  { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials" },
  { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials" },
  { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2", AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1/x" },
];

const role = "role_arn = arn:aws:iam::111122223333:role/r";
const pair = (id: string) => `aws_access_key_id = ${id}\naws_secret_access_key = s`;
const sso = "sso_account_id = 1\nsso_role_name = r\nsso_region = us-east-2\nsso_start_url = https://x";
const session = "[sso-session s]\nsso_region = us-east-2\nsso_start_url = https://x";

const files: readonly (readonly [config: string, credentials?: string])[] = [
  [""],
  ["[default]\nregion = us-east-1\n[profile p]\nregion = us-east-1"],
  ["[profile p]\nservices = local\n[services local]\nkms =\n  endpoint_url = http://127.0.0.1:1"],
  ["[default]\nregion = us-east-1", `[default]\n${pair("AKIADEFAULT")}\n[p]\n${pair("AKIAP")}`],
  [`[profile p]\n${pair("AKIACONFIG")}`, `[p]\n${pair("AKIACREDENTIALS")}`],
  [`[p]\n${pair("AKIABARE")}`],
  [`[p]\n${pair("AKIABARE")}\n[profile p]\nregion = us-east-1`],
  ["", `[profile p]\n${pair("AKIAPREFIXED")}`],
  ["", "[p]\naws_access_key_id = AKIAHALF\n[default]\nregion = us-east-1"],
  ["[profile p]\naws_access_key_id = AKIAHALF", `[p]\n${pair("AKIAWHOLE")}`],
  [`[profile p]\n${pair("AKIAWHOLE")}`, "[p]\naws_secret_access_key = s"],
  [`[profile p]\ncredential_process = /bin/false\n[default]\n${pair("AKIADEFAULT")}`],
  [`[profile p]\n${sso}`],
  [`[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n${session}`],
  ["[profile p]\nsso_session = missing\nsso_account_id = 1\nsso_role_name = r"],
  [`[profile p]\n${sso}\ncredential_process = /bin/false`],
  [`[profile p]\n${sso}\n${pair("AKIAP")}`],
  [`[profile p]\nsso_account_id = 1`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${pair("AKIAQ")}`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${role}\nsource_profile = o\n[profile o]\n${pair("AKIAO")}`],
  [`[profile p]\n${role}\nsource_profile = q\n${pair("AKIAP")}\n[profile q]\ncredential_process = /bin/false`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\nregion = us-east-1`],
  [`[profile p]\n${role}\nsource_profile = missing`],
  [`[profile p]\n${role}\nsource_profile = p\n${pair("AKIASELF")}`],
  [`[profile p]\n${role}\nsource_profile = p\nregion = us-east-1`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${role}\nsource_profile = p\n${pair("AKIAQ")}`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${role}\nsource_profile = p`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${sso}`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\nlogin_session = l`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${role}\nweb_identity_token_file = /t`],
  [`[profile p]\n${role}\nsource_profile = q\n[profile q]\n${role}\ncredential_source = Ec2InstanceMetadata`],
  [`[profile p]\n${role}\ncredential_source = Environment`],
  [`[profile p]\n${role}\ncredential_source = EcsContainer`],
  [`[profile p]\n${role}\ncredential_source = Ec2InstanceMetadata`],
  [`[profile p]\n${role}\ncredential_source = Elsewhere`],
  ["[profile p]\ncredential_source = Environment"],
  [`[profile p]\n${role}\ncredential_source = Environment\ncredential_process = /bin/false`],
  [`[profile p]\n${role}\nweb_identity_token_file = /t\nrole_session_name = s`],
  [`[profile p]\n${role}\nweb_identity_token_file = /t\n${pair("AKIAP")}`],
  ["[profile p]\nweb_identity_token_file = /t"],
  [`[profile p]\n${role}\nmfa_serial = m\nsource_profile = q\n[profile q]\n${pair("AKIAQ")}`],
  [`[profile p]\n${role}`],
  [`[profile p]\n${role}\n${pair("AKIAP")}`],
  ["[profile p]\nlogin_session = l"],
  ["[profile p]\nlogin_session = l\ncredential_process = /bin/false"],
  [`[ profile   p ] ; remark\n${pair('"AKIAQUOTED"')} # remark\n[profile default]\n${pair("AKIAPREFIXED")}`],
  [`[Default]\n${pair("AKIAUPPER")}\n[profile P]\n${pair("AKIAUPPER")}`],
  [`[profile p]\nAWS_ACCESS_KEY_ID: AKIACOLON\r\nAws_Secret_Access_Key=s=t\r\n`],
  [`[profile p]\n# remark\n  ; remark\nregion =\n  aws_access_key_id = AKIANESTED\naws_secret_access_key = s`],
  [`[profile p]\nregion = us-east-1\n  aws_access_key_id = AKIAINDENTED ; remark\n  aws_secret_access_key = s`],
  [`stray = x\n[profile p]\n[profile p]\n${pair("AKIAFIRST")}\n[profile p]\naws_access_key_id = AKIALAST`],
  [`\ufeff[default]\n${pair("AKIABOM")}`],
  [`[profile p]\n${role}\nsource_profile = q`, `[q]\n${pair("AKIAQ")}\n[p]\ncredential_process = /bin/false`],
  [`[profile p]\ncredential_process = /bin/false`, `[p]\n${role}\ncredential_source = Environment`],
  [`[profile p q]\n${pair("AKIASPACED")}\n[default]\n${pair("AKIADEFAULT")}\naws_session_token = t`],
];

export const rows: readonly Row[] = files.flatMap(([Config, Credentials = ""]) =>
  profiles.flatMap(({ setting = "", ...profile }) =>
    keys.flatMap((pairOfKeys) =>
      webIdentities.flatMap((webIdentity) =>
        machines.map((machine) => ({
          Env: { ...profile, ...pairOfKeys, ...webIdentity, ...machine },
          Config,
          Credentials,
          Profile: setting,
        })),
      ),
    ),
  ),
);
