import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A real PostgreSQL server of the tests' own, in a temporary folder, reached by a socket there; one for all tests of a process.
public actor PostgresServer {
    public static let shared = PostgresServer()

    private let name = "/tmp/wane-pg-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    private var folder: String?
    private var databases = 0

    /// One of its own, for a test that takes it down.
    public init() {}

    /// Why there is none, where there is none.
    public static var obstacle: String? {
        programs == nil ? "no PostgreSQL server is installed; Scripts/bootstrap tests brings one" : nil
    }

    private static var programs: String? {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
        return versions.reversed().map { "\(root)/\($0)/bin" }.first {
            FileManager.default.isExecutableFile(atPath: $0 + "/initdb")
        }
    }

    public struct Failure: Error, CustomStringConvertible { public let description: String }

    /// Runs one of the server's programs, which refuse to be root.
    private static func process(_ program: String, _ arguments: [String]) throws -> Process {
        guard let programs else { throw Failure(description: obstacle ?? "") }
        let process = Process()
        let own = [programs + "/" + program] + arguments
        process.executableURL = URL(fileURLWithPath: getuid() == 0 ? "/usr/sbin/runuser" : own[0])
        process.arguments = getuid() == 0 ? ["-u", "postgres", "--"] + own : Array(own.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = try process(program, arguments)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(program) ended with \(process.terminationStatus)")
        }
    }

    private func start() throws -> String {
        if let folder { return folder }
        let folder = name
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        if getuid() == 0, let user = getpwnam("postgres") { chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) }
        try Self.run(
            "initdb", ["-D", folder + "/data", "-A", "trust", "-U", "wane", "-E", "UTF8", "--locale=C.UTF-8", "-N"])
        try Self.startServer(folder)
        self.folder = folder
        // The server ends with the tests, however they end.
        let guardian = Process()
        guardian.executableURL = URL(fileURLWithPath: "/bin/sh")
        guardian.arguments = [
            "-c",
            "while kill -0 \(getpid()) 2>/dev/null; do sleep 1; done; kill -QUIT $(head -1 \(folder)/data/postmaster.pid); "
                + "sleep 1; rm -rf \(folder)",
        ]
        guardian.standardInput = FileHandle.nullDevice
        guardian.standardOutput = FileHandle.nullDevice
        guardian.standardError = FileHandle.nullDevice
        try guardian.run()
        return folder
    }

    /// The server itself, not what starts it: a process that is waited for must leave none behind.
    private static func startServer(_ folder: String) throws {
        let server = try process(
            "postgres",
            [
                "-D", folder + "/data", "-c", "listen_addresses=", "-c", "unix_socket_directories=\(folder)", "-c",
                "max_connections=200",
            ])
        try server.run()
        for _ in 0..<200 {
            if (try? run("pg_isready", ["-q", "-h", folder])) != nil { return }
            usleep(50_000)
        }
        throw Failure(description: "the server does not start")
    }

    /// The server is killed and started again, as after a loss of power.
    public func crash() throws {
        let folder = try start()
        try Self.run("pg_ctl", ["-D", folder + "/data", "-m", "immediate", "-w", "stop"])
        try Self.startServer(folder)
    }

    /// The URL of a new database.
    public func database() throws -> String {
        let folder = try start()
        databases += 1
        let name = "d\(databases)"
        try Self.run("createdb", ["-h", folder, "-U", "wane", name])
        return "postgres://wane@/\(name)?host=\(folder)"
    }

    /// Runs a file of SQL in a database.
    public func psql(_ url: String, file: String) throws {
        try Self.run("psql", [url, "-q", "-v", "ON_ERROR_STOP=1", "-f", file])
    }

    /// Runs SQL in a database, as an operator would.
    public func psql(_ url: String, _ sql: String) throws {
        try Self.run("psql", [url, "-v", "ON_ERROR_STOP=1", "-c", sql])
    }
}
