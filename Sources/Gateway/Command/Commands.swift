/// Every command. A new one is a line here and a file beside this one.
let commands: [Command] = [
    Command(
        "serve", "[--config FILE]", "Runs the pool of workers until SIGTERM.",
        options: Setup.options, run: Serve.run),
    Command("worker", "", "", options: ["config", "instance", "column"], run: Serve.worker),
    Command("spool", "", "", options: ["file"], run: SpoolWriter.run),
    Command(
        "check-config", "[--config FILE]",
        "Checks the configuration and shows what is in force, without secrets.",
        options: Setup.options, run: CheckConfiguration.run),
    Command(
        "migrate", "[--config FILE]", "Brings the database's schema up to date.",
        options: Setup.options, run: Migrate.run),
    Command(
        "user create", "NAME [--role ROLE] [--email ADDRESS] [--json]",
        "Creates a user and prints the id.",
        options: Setup.options.union(["role", "email"]), flags: ["json"], run: UserCommands.create),
    Command(
        "user list", "[--json]", "Lists users.", options: Setup.options, flags: ["json"],
        run: UserCommands.list),
    Command(
        "user disable", "NAME|ID",
        "Disables a user. All workers refuse the user's tokens within a second.",
        options: Setup.options, run: UserCommands.disable),
    Command(
        "user enable", "NAME|ID", "Enables a user again, and with the user the tokens.",
        options: Setup.options, run: UserCommands.enable),
    Command(
        "token create",
        "--user NAME|--admin [--name TEXT] [--scopes A,B] [--days N|never] [--json]",
        "Mints a token and prints it, once. With --admin the user becomes an admin, and is created if need be.",
        options: Setup.options.union(["user", "name", "scopes", "days"]),
        flags: ["admin", "json"], run: TokenCommands.create),
    Command(
        "token list", "--user NAME [--json]", "Lists a user's tokens, without the tokens.",
        options: Setup.options.union(["user"]), flags: ["json"], run: TokenCommands.list),
    Command(
        "token revoke", "ID|TOKEN", "Revokes a token. All workers refuse it within a second.",
        options: Setup.options, run: TokenCommands.revoke),
    Command(
        "ingest",
        "--collection NAME [--base-url URL] [--language NAME] [--all] [--json] FILE|FOLDER…",
        "Takes Markdown, text and HTML into a collection; unchanged files are left, unless --all.",
        options: Setup.options.union(["collection", "base-url", "language"]),
        flags: ["all", "json"], run: IngestCommand.run),
    Command(
        "dev", "[--state DIR] [--port N] [--config FILE]",
        "Runs everything on this machine: a private PostgreSQL, nginx on 127.0.0.1, the pool.",
        options: ["state", "port", "config"], run: DevelopmentCommand.run),
    Command("version", "", "Prints the version, as --version does.", run: Version.run),
]
