import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

@testable import WaneServer

/// Asks a service that listens on a port of its own, as any program would; patient, since other tests share the cores.
struct LiveClient: Sendable {
    struct Answer: Sendable {
        let status: HTTPResponse.Status
        let headers: HTTPFields
        let body: ByteBuffer
    }

    private let client: HTTPClient
    let port: Int
    private let scheme: String

    /// Runs a service while `body` asks it.
    static func with<Value: Sendable>(
        _ server: WaneServer, tls: TLSFiles? = nil, _ body: @escaping @Sendable (LiveClient) async throws -> Value
    ) async throws -> Value {
        let (ports, running) = AsyncStream.makeStream(of: Int.self)
        let application = try await server.application(host: "127.0.0.1", port: 0, tls: tls) { port in
            running.yield(port)
        }
        var configuration = HTTPClient.Configuration()
        if tls != nil { configuration.tlsConfiguration = .clientDefault }
        configuration.tlsConfiguration?.certificateVerification = .none
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result = await withTaskGroup(of: Result<Value, any Error>?.self) { group in
            group.addTask {
                do { try await application.run() } catch { return .failure(error) }
                return nil
            }
            group.addTask {
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { return .failure(CancellationError()) }
                do {
                    return .success(
                        try await body(LiveClient(client: client, port: port, scheme: tls == nil ? "http" : "https")))
                } catch {
                    return .failure(error)
                }
            }
            var found: Result<Value, any Error>?
            while found == nil, let next = await group.next() { found = next }
            group.cancelAll()
            return found ?? .failure(CancellationError())
        }
        try await client.shutdown()
        return try result.get()
    }

    func execute(
        uri: String, method: HTTPRequest.Method, headers: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "\(scheme)://127.0.0.1:\(port)\(uri)")
        request.method = .RAW(value: method.rawValue)
        for field in headers { request.headers.add(name: field.name.rawName, value: field.value) }
        if let body { request.body = .bytes(body) }
        let response = try await client.execute(request, timeout: .minutes(10))
        var fields = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        return Answer(
            status: .init(integerLiteral: Int(response.status.code)), headers: fields,
            body: try await response.body.collect(upTo: 1 << 24))
    }
}

extension LiveClient.Answer {
    /// The body, snake_case as it is written.
    func json<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: Data(body.readableBytesView))
    }
}

extension LiveClient {
    func get(_ path: String) async throws -> Answer { try await execute(uri: path, method: .get) }
}
