import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import TestSupport
import Testing
import WaneStore

@testable import WaneServer

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("What a service holds itself to", .serialized, .usesTorch)
struct LimitsTests {
    private struct Receipts: Decodable { let accepted: Int }

    /// A connection of bytes.
    private final class Wire: Sendable {
        let socket: Int32

        init(_ port: Int) {
            #if canImport(Glibc)
                socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #else
                socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
            #endif
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }

        /// Nothing more is sent; answers are still read.
        func end() { _ = shutdown(socket, Int32(SHUT_WR)) }

        func send(_ text: String) { _ = text.withCString { write(socket, $0, strlen($0)) } }

        /// What has come back, until there is some or a few seconds are over.
        func answer() async -> String {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            for _ in 0..<250 {
                let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 { return String(decoding: buffer.prefix(count), as: UTF8.self) }
                try? await Task.sleep(for: .milliseconds(20))
            }
            return ""
        }

        /// Whether the other side has closed, by some seconds from now.
        func isClosed(within seconds: Double) async -> Bool {
            let end = ContinuousClock.now + .seconds(seconds)
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while ContinuousClock.now < end {
                let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) { return true }
                if count < 0 { try? await Task.sleep(for: .milliseconds(20)) }
            }
            return false
        }

        deinit { close(socket) }
    }

    private func packed(_ program: String, _ data: Data) throws -> ByteBuffer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program, "-c"]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        DispatchQueue.global().async {
            input.fileHandleForWriting.write(data)
            try? input.fileHandleForWriting.close()
        }
        let result = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return ByteBuffer(bytes: result)
    }

    @Test("a body that is cut off, or goes on as what is no chunk, is the sender's fault and stores nothing")
    func cutBodies() async throws {
        let own = try TestService()
        let event = #"{"user":"a","time":"2025-01-01T00:00:00Z","item":"p"}"#
        try await LiveClient.with(own.server) { client in
            let head = "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            for body in [
                "Content-Length: \(event.utf8.count + 5)\r\n\r\n\(event)", "Content-Length: 10\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n",
                "Transfer-Encoding: chunked\r\n\r\n5\r\n\(event)\r\n0\r\n\r\n",
            ] {
                let wire = Wire(client.port)
                wire.send(head + body)
                wire.end()
                let answer = await wire.answer()
                #expect(answer.hasPrefix("HTTP/1.1 400 ") || answer.isEmpty, "\(body): \(answer.prefix(200))")
            }
            let count = try await own.store.count()
            #expect(count == 0)
        }
    }

    @Test("packed bodies are read as what they are; one that becomes too long, or is damaged, stores nothing")
    func packed() async throws {
        let own = try TestService()
        let event = #"{"event_id":"ID","user":"a","time":"2025-01-01T00:00:00Z","item":"p"}"#
        try await LiveClient.with(own.server) { client in
            func post(_ body: ByteBuffer, _ encoding: String) async throws -> LiveClient.Answer {
                try await client.execute(
                    uri: "/v1/events", method: .post,
                    headers: [.contentType: "application/x-ndjson", .contentEncoding: encoding], body: body)
            }
            for name in ["gzip"] {
                let lines = (0..<1_000).map { event.replacing("ID", with: "\(name)-\($0)") }.joined(separator: "\n")
                let found: Receipts = try await post(try packed(name, Data(lines.utf8)), name).json()
                #expect(found.accepted == 1_000)
            }
            // Sixty megabytes of blanks in sixty kilobytes.
            let bomb = try packed("gzip", Data(repeating: 0x20, count: 60 << 20))
            #expect(bomb.readableBytes < 100_000)
            #expect(try await post(bomb, "gzip").status == .contentTooLarge)
            var damaged = try packed("gzip", Data(event.utf8))
            damaged.setInteger(UInt8(0xFF), at: damaged.readableBytes / 2)
            #expect(try await post(damaged, "gzip").status == .badRequest)
            #expect(try await post(ByteBuffer(string: event), "zstd").status == .badRequest)
            #expect(try await post(ByteBuffer(string: event), "br").status == .unsupportedMediaType)
            #expect(try await own.store.count() == 1_000)
        }
    }

    @Test("who sends slowly, or does not take the answer, is let go in time, and all others are answered meanwhile")
    func slow() async throws {
        var limits = ServerLimits()
        (limits.headTime, limits.bodyTime, limits.answerTime) = (.seconds(2), .seconds(2), .seconds(2))
        let own = try TestService(limits: limits)
        _ = try await own.service.append(
            (0..<4_000).map {
                .init(user: "a", time: Int64($0 + 1) * 1_000_000, item: String(repeating: "p", count: 400))
            })
        try await LiveClient.with(own.server) { client in
            let (silent, dripping) = ((0..<60).map { _ in Wire(client.port) }, (0..<60).map { _ in Wire(client.port) })
            let bodies = (0..<20).map { _ in Wire(client.port) }
            let readers = (0..<10).map { _ in Wire(client.port) }
            for wire in bodies {
                wire.send(
                    "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
                )
            }
            for wire in readers { wire.send("GET /v1/users/a/export HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for byte in "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: aaaaaaaaaaaaaaa" {
                        for wire in dripping { wire.send(String(byte)) }
                        try await Task.sleep(for: .milliseconds(40))
                    }
                }
                group.addTask {
                    for _ in 0..<60 {
                        let alive = try await client.get("/healthz").status
                        #expect(alive == .ok)
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                try await group.waitForAll()
            }
            for wire in silent + dripping {
                let isClosed = await wire.isClosed(within: 60)
                #expect(isClosed)
            }
            for wire in bodies {
                let isClosed = await wire.isClosed(within: 60)
                #expect(isClosed)
            }
            #expect(try await client.get("/healthz").status == .ok)
            // Of those who ask for much and read nothing the connection is gone: what is left is what was under way.
            try await Task.sleep(for: .seconds(2))
            for wire in readers {
                let isClosed = await wire.isClosed(within: 60)
                #expect(isClosed)
            }
        }
    }

    @Test(
        "who asks more often than is allowed is told when to come back; others, and those who only look whether it lives, are not"
    )
    func rate() async throws {
        var limits = ServerLimits()
        limits.rate = 2
        let own = try TestService(limits: limits)
        let (first, secret) = StoredKey.make(role: .admin, name: "a")
        let (second, other) = StoredKey.make(role: .admin, name: "b")
        try await own.store.add(first)
        try await own.store.add(second)
        try await LiveClient.with(own.server) { client in
            func ask(_ key: String) async throws -> LiveClient.Answer {
                try await client.execute(uri: "/v1/keys", method: .get, headers: [.authorization: "Bearer \(key)"])
            }
            var codes: [Int: Int] = [:]
            for _ in 0..<40 {
                let answer = try await ask(secret)
                codes[Int(answer.status.code), default: 0] += 1
                if answer.status == .tooManyRequests {
                    #expect(Int(answer.headers[.retryAfter] ?? "") ?? 0 >= 1)
                }
            }
            // Ten seconds' worth at once, and what came back meanwhile.
            #expect((20...24).contains(codes[200] ?? 0) && codes[429] == 40 - (codes[200] ?? 0), "\(codes)")
            #expect(try await ask(other).status == .ok)
            for _ in 0..<30 {
                let alive = try await client.get("/healthz").status
                #expect(alive == .ok)
            }
            try await Task.sleep(for: .seconds(1.2))
            #expect(try await ask(secret).status == .ok)
        }
    }

    @Test(
        "paths that are no text, and requests that are none or are two at once, are refused, and nothing fails inside")
    func raw() async throws {
        let own = try TestService()
        try await LiveClient.with(own.server) { client in
            for (text, expected) in [
                ("GET /v1/users/%FF/interests HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ["400", "404"]),
                ("GET /v1/users/a%00b/interests HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ["400", "404", "503"]),
                ("NONSENSE\r\n\r\n", ["400", ""]), ("GET / HTTP/9.9\r\n\r\n", ["400", "505", ""]),
                (
                    "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                    ["400", ""]
                ),
            ] {
                let wire = Wire(client.port)
                wire.send(text)
                let answer = await wire.answer()
                let status = answer.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                #expect(expected.contains(status), "\(text.prefix(40)): \(answer.prefix(200))")
            }
            let alive = try await client.get("/healthz").status
            #expect(alive == .ok)
        }
    }

    @Test("buckets of a rate are counted to the last, by key")
    func buckets() {
        let limit = RateLimit(rate: 5)
        let start = ContinuousClock.now
        #expect((0..<60).count { _ in limit.wait(for: "a", now: start) == nil } == 50)
        #expect(abs((limit.wait(for: "a", now: start) ?? 0) - 0.2) < 1e-9)
        #expect((0..<20).count { _ in limit.wait(for: "a", now: start + .seconds(2)) == nil } == 10)
        #expect(limit.wait(for: "b", now: start) == nil)
        // A clock that goes back gives nothing.
        #expect(limit.wait(for: "a", now: start) != nil)
    }

    @Test("more requests at once than can be answered are told to come back, and the rest is answered")
    func overload() async throws {
        var limits = ServerLimits()
        limits.requests = 4
        let own = try TestService(limits: limits)
        _ = try await own.service.registry.add(try own.model())
        _ = try await own.service.append(TestService.records)
        try await LiveClient.with(own.server) { client in
            let codes = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let answer = try await client.get(
                            "/v1/users/user-\(index % 40)/interests?at=2025-02-01T00:00:00Z")
                        return (Int(answer.status.code), answer.headers[.retryAfter])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(codes.map(\.0)).isSubset(of: [200, 503]))
            #expect(codes.contains { $0.0 == 200 })
            #expect(codes.allSatisfy { $0.0 == 200 || $0.1 == "1" })
            #expect(try await client.get("/v1/users/user-1/interests").status == .ok)
        }
    }

    @Test("with a certificate it speaks HTTPS alone, and a file that is none is named")
    func tls() async throws {
        let own = try TestService()
        let folder = try TemporaryFolder()
        let (certificate, key) = (folder.file("cert.pem").path, folder.file("key.pem").path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "1",
            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
        ]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        await #expect(throws: ServerError.badCertificate(path: "/nowhere.pem")) {
            _ = try await own.server.application(
                host: "127.0.0.1", port: 0, tls: TLSFiles(certificate: "/nowhere.pem", key: key))
        }
        await #expect(throws: ServerError.badCertificate(path: certificate)) {
            _ = try await own.server.application(
                host: "127.0.0.1", port: 0, tls: TLSFiles(certificate: certificate, key: certificate))
        }
        try await LiveClient.with(own.server, tls: TLSFiles(certificate: certificate, key: key)) { client in
            let alive = try await client.get("/healthz").status
            #expect(alive == .ok)
            let plain = Wire(client.port)
            plain.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            let isClosed = await plain.isClosed(within: 60)
            #expect(isClosed)
        }
    }
}
