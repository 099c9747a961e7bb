import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import WaneEvents
import WaneStore

/// Who may call a route.
enum RouteAccess: Sendable, Equatable {
    /// Anybody.
    case open
    /// Who has a key of a role; anybody where the service has no keys, which it then serves on loopback alone.
    case key(KeyRole)
    /// As before, and anybody who asks from this machine.
    case keyOrLoopback(KeyRole)
}

/// A parameter of a route's query.
struct RouteParameter: Sendable {
    let name: String
    let summary: String
    var isInteger = false
}

/// One way to ask the service: the router, the permissions and the description for other programs are all made from these.
struct Route: Sendable {
    typealias Handler = @Sendable (Call) async throws -> Response

    let method: HTTPRequest.Method
    /// `/v1/users/{id}/interests`.
    let path: String
    let access: RouteAccess
    let summary: String
    var parameters: [RouteParameter] = []
    /// Types that its body may have; none for a route without a body.
    var bodies: [String] = []
    let handler: Handler
}

/// A request on its way through a route.
struct Call: Sendable {
    let request: Request
    let context: ServerContext
    let limits: ServerLimits
    /// Of the key; nothing for who needs none: this machine's own where there are no keys.
    let role: KeyRole?

    /// A part of the path, with all that stands in it.
    func part(_ name: String) throws -> String {
        guard let raw = context.parameters.get(name), let text = raw.removingPercentEncoding else {
            throw Problem(400, "bad_path", "the path's {\(name)} is not percent-encoded UTF-8")
        }
        guard (1...EventRecordReader.longestName).contains(text.utf8.count) else {
            throw Problem(400, "bad_path", "the path's {\(name)} has from 1 to \(EventRecordReader.longestName) bytes")
        }
        return text
    }

    /// A parameter of the query; nothing where there is none.
    func query(_ name: String) throws -> String? {
        let all = request.uri.queryParameters.getAll(name)
        guard all.count <= 1 else { throw Problem(400, "bad_query", "\(name) is given more than once") }
        return all.first
    }

    /// A moment of the query, in microseconds; nothing where there is none.
    func moment(_ name: String) throws -> Int64? { try query(name).map { try Self.moment($0) } }

    static func moment(_ text: String) throws -> Int64 {
        // A plus in a query is a blank: +02:00 comes as one.
        guard let moment = TimeFormat.moment(text) ?? TimeFormat.moment(text.replacing(" ", with: "+")) else {
            throw Problem(400, "bad_time", "at=\(text.prefix(60)): give RFC 3339, such as 2024-03-01T10:00:00Z")
        }
        return moment
    }

    func count(_ name: String, default value: Int, most: Int) throws -> Int {
        guard let text = try query(name) else { return value }
        guard let number = Int(text), (1...most).contains(number) else {
            throw Problem(400, "bad_query", "\(name)=\(text.prefix(40)): give a whole number from 1 to \(most)")
        }
        return number
    }

    /// The body, no longer than is allowed, in no more time than is allowed.
    func body(_ types: [String]) async throws -> (bytes: [UInt8], type: String) {
        let stated = request.headers[.contentType] ?? ""
        let type = stated.split(separator: ";").first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() } ?? ""
        guard types.contains(type) else {
            throw Problem(
                415, "media_type",
                (type.isEmpty ? "no Content-Type" : "Content-Type \(type.prefix(60))")
                    + ": give \(types.joined(separator: ", "))")
        }
        var packing: PackedBytes?
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            packing = PackedBytes(rawValue: encoding.lowercased())
            guard packing != nil else {
                throw Problem(
                    415, "content_encoding",
                    "Content-Encoding \(encoding.prefix(40)) is not read; there are gzip, zstd and identity")
            }
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.bodyBytes {
            throw tooLarge
        }
        let limit = limits.bodyBytes
        let stream = request.body
        let sent = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                do {
                    for try await buffer in stream {
                        guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge }
                        bytes.append(contentsOf: buffer.readableBytesView)
                    }
                } catch let error where !(error is Problem) && !(error is CancellationError) {
                    // Who sends it hung up, or went on with what is no HTTP.
                    throw Problem(400, "body_cut", "the body ended before it was whole, or is not what its head says")
                }
                return bytes
            }
            group.addTask {
                try await Task.sleep(for: limits.bodyTime)
                throw Problem(408, "timeout", "the body did not come within \(limits.bodyTime.components.seconds) s")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
        guard let packing else { return (sent, type) }
        do throws(PackedBytes.Fault) {
            return (try packing.unpack(sent, limit: limit), type)
        } catch {
            switch error {
            case .tooLarge: throw tooLarge
            case .damaged: throw Problem(400, "unreadable", "the body is not what Content-Encoding \(packing) says")
            }
        }
    }

    private var tooLarge: Problem {
        Problem(413, "too_large", "a body has at most \(limits.bodyBytes) bytes; send it in parts")
    }
}

/// What the service holds itself to.
public struct ServerLimits: Sendable {
    /// Of a body, unpacked.
    public var bodyBytes = 8 << 20
    public var events = 10_000
    /// Within which a body, the head of a request and the taking of an answer are done.
    public var bodyTime = Duration.seconds(60)
    public var headTime = Duration.seconds(15)
    public var answerTime = Duration.seconds(60)
    public var connections = 2_000
    /// Requests that are answered at once; more are told to come back.
    public var requests = 256
    /// Requests a second of one key, or of one address where there are no keys; any where absent.
    public var rate: Double?

    public init() {}
}

/// What is known of a request.
struct ServerContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    var requestID = ""

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// Whether the request comes from this machine.
    var isLocal: Bool {
        switch remoteAddress {
        case .v4: remoteAddress?.ipAddress?.hasPrefix("127.") == true
        case .v6: remoteAddress?.ipAddress == "::1"
        case .unixDomainSocket: true
        case nil: false
        }
    }
}
