// Serves telegram-test-api on the loopback port that is given, and says so.
import TelegramServer from "telegram-test-api"

const server = new TelegramServer({ host: "127.0.0.1", port: Number(process.argv[2]) })
await server.start()
console.log("ready")
