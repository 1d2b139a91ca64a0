/** Environments and addresses for which Go and we must take the same proxy. */

/** One question, as main.go takes it. */
export interface ProxyRow {
  readonly Proxy: {
    readonly HTTPProxy: string;
    readonly HTTPSProxy: string;
    readonly NoProxy: string;
    readonly URL: string;
  };
}

const proxies = ["", "http://proxy:3128", "proxy.example:8080", "https://proxy", "socks5://s", "user:pw@p:1", "%zz"];

const exclusions = [
  "",
  "*",
  " , ,",
  "amazonaws.com",
  ".amazonaws.com",
  "*.amazonaws.com",
  "AMAZONAWS.COM",
  "kms.us-east-2.amazonaws.com",
  "kms.us-east-2.amazonaws.com:443",
  "kms.us-east-2.amazonaws.com:8443",
  "aws.com",
  "x,kms.us-east-2.amazonaws.com , y",
  "10.0.0.0/8",
  "10.1.2.3",
  "10.1.2.3:443",
  "10.1.2.3/33",
  "10.0.0.0/8/8",
  "fd00::/8",
  "[fd00::1]:443",
  "[fd00::1]",
  "fd00::1",
  ":443",
  "com:443",
  ".",
  "*.com,*",
  "localhost",
];

const addresses = [
  "https://kms.us-east-2.amazonaws.com",
  "https://KMS.us-east-2.amazonaws.com:8443",
  "https://amazonaws.com",
  "https://notamazonaws.com",
  "http://kms.us-east-2.amazonaws.com",
  "https://10.1.2.3",
  "http://10.1.2.3:443",
  "https://[fd00::1]",
  "https://localhost",
  "https://127.0.0.2",
  "https://[::1]",
  "http://localhost.localdomain",
  "http://169.254.170.2",
];

export const proxyRows: readonly ProxyRow[] = proxies.flatMap((HTTPSProxy, index) =>
  exclusions.flatMap((NoProxy) =>
    addresses.map((URL) => ({
      Proxy: { HTTPProxy: proxies[(index + 1) % proxies.length] ?? "", HTTPSProxy, NoProxy, URL },
    })),
  ),
);
