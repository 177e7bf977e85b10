// better-auth as its documentation sets it up: phone numbers, organizations, JWTs, PostgreSQL; one process.
// Codes are written to standard output, one line each: who asked, and the code.
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt, organization, phoneNumber } from "better-auth/plugins";
import pg from "pg";

const { database, secret, connections, variant } = JSON.parse(process.argv[2]);

// The variants: as it comes; without a JWT in every answer; sessions believed from a signed cookie for a while.
const told = variant === "plain" ? {} : { disableSettingJwtHeader: true };
const session = variant === "cached" ? { cookieCache: { enabled: true, maxAge: 300 } } : {};

const options = {
  baseURL: "http://localhost",
  secret,
  session,
  database: new pg.Pool({ connectionString: database, max: connections }),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
  plugins: [
    organization(),
    jwt(told),
    phoneNumber({
      sendOTP: ({ phoneNumber: phone, code }) => {
        process.stdout.write(`${phone} ${code}\n`);
      },
      signUpOnVerification: { getTempEmail: (phone) => `${phone.slice(1)}@phone.example` },
    }),
  ],
};

await (await getMigrations(options)).runMigrations();
const server = createServer(toNodeHandler(betterAuth(options)));
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`listening ${server.address().port}\n`));
process.on("SIGTERM", () => process.exit(0));
