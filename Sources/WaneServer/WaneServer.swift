import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import WaneEvents
import WaneStore

/// The service over HTTP: routes, who may ask, problems in one form, requests counted and logged.
public struct WaneServer: Sendable {
    private let service: InterestService
    private let limits: ServerLimits
    private let logger: Logger
    let routes: [Route]

    public init(_ service: InterestService, limits: ServerLimits = ServerLimits(), program: String, logger: Logger)
        throws
    {
        self.service = service
        self.limits = limits
        self.logger = logger
        var all =
            EventRoutes(service: service).routes + ItemRoutes(service: service).routes
            + PersonRoutes(service: service).routes
        all += PeopleRoutes(service: service).routes
        all += LearningRoutes(service: service).routes + DashboardRoutes().routes
        all += ModelRoutes(service: service).routes + KeyRoutes(service: service).routes
        all += HealthRoutes(service: service, program: program).routes
        let described = Route(
            method: .get, path: "/openapi.json", access: .open, summary: "This description."
        ) { _ in Response(status: .ok) }
        let document = String(decoding: try OpenAPI.document(all + [described], version: program), as: UTF8.self)
        all.append(
            Route(method: .get, path: described.path, access: .open, summary: described.summary) { _ in
                Reply.text(document, type: "application/json")
            })
        routes = all
    }

    /// What answers requests.
    func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self)
        let (access, service) = (service.access, service)
        let rate = limits.rate.map { RateLimit(rate: $0) }
        router.add(
            middleware: RequestObserver(metrics: service.metrics, logger: logger, methods: Self.methods(routes)))
        for route in routes {
            let path = route.path.replacing("{", with: ":").replacing("}", with: "")
            let limits = limits
            router.on(RouterPath(path), method: route.method) { request, context -> Response in
                // Before the key is looked up: who is turned away costs next to nothing.
                if route.access != .open, service.metrics.inFlight > limits.requests {
                    throw Problem(
                        503, "overloaded", "more requests are being answered than can be; try again", retryAfter: 1)
                }
                let key = try await access.check(route.access, request, isLocal: context.isLocal)
                if let rate, route.access != .open,
                    let wait = rate.wait(for: key?.prefix ?? context.remoteAddress?.ipAddress ?? "")
                {
                    throw Problem(
                        429, "rate", "more than \(limits.rate ?? 0) requests a second; try again",
                        retryAfter: Int(wait.rounded(.up)))
                }
                try Self.checkQuery(request, route)
                return try await route.handler(
                    Call(request: request, context: context, limits: limits, role: key?.role))
            }
        }
        return router
    }

    /// A parameter that is none would be obeyed by nobody.
    private static func checkQuery(_ request: Request, _ route: Route) throws {
        let known = route.parameters.map(\.name)
        for (key, _) in request.uri.queryParameters where !known.contains(String(key)) {
            let name = String(key.prefix(64))
            throw Problem(
                400, "bad_query",
                "\(name): no such parameter\(NearestName.hint(name, among: known))"
                    + (known.isEmpty ? "; this path takes none" : "; there are \(known.joined(separator: ", "))"))
        }
    }

    /// The methods of each path, by its parts; a nil part is any.
    private static func methods(_ routes: [Route]) -> [(parts: [String?], method: String)] {
        routes.map { route in
            (route.path.split(separator: "/").map { $0.hasPrefix("{") ? nil : String($0) }, route.method.rawValue)
        }
    }

    /// An application that listens; run it as a service, and it drains before it stops.
    ///
    /// - Parameters:
    ///   - host: other machines can only ask where there are keys.
    ///   - port: 0 for any that is free.
    ///   - tls: a certificate and its key; without encryption when absent.
    ///   - checkEvery: how often answers are set beside what happened; never when absent.
    ///   - learnEvery: how often a challenger is trained, where the service learns; only when asked when absent.
    ///   - kafka: a topic that events are read from beside requests.
    ///   - whenRunning: called with the port.
    public func application(
        host: String, port: Int, tls: TLSFiles? = nil, checkEvery: Duration? = nil, learnEvery: Duration? = nil,
        kafka: KafkaFeed.Source? = nil,
        whenRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws -> some ApplicationProtocol {
        let isLocal = host == "127.0.0.1" || host == "::1" || host == "localhost"
        if !isLocal, try await service.store.keys().isEmpty {
            throw ServerError.noKeys(host: host)
        }
        let limits = limits
        var server = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [
                    RequestDeadlines(head: TimeAmount(limits.headTime), answer: TimeAmount(limits.answerTime))
                ], idleTimeout: .seconds(30)))
        if let tls { server = try .tls(server, tlsConfiguration: tls.configuration()) }
        var application = Application(
            router: router(),
            server: server,
            configuration: .init(
                address: .hostname(host, port: port), serverName: "wane", reuseAddress: true,
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)),
            onServerRunning: { channel in await whenRunning(channel.localAddress?.port ?? port) },
            logger: logger)
        if service.store.isShared {
            application.addServices(
                RepeatedWork(name: "following the others", pause: .seconds(1), logger: logger) { [service] in
                    try await service.follow()
                })
        }
        if let kafka {
            application.addServices(KafkaFeed(kafka, service, limits: limits, logger: logger))
        }
        if let checkEvery {
            application.addServices(
                RepeatedWork(name: "a look at the answers", pause: checkEvery, logger: logger) { [service] in
                    guard let model = try? service.registry.model(.interest),
                        let lease = try await service.store.lease("checks")
                    else { return }
                    defer { lease.release() }
                    _ = try await service.monitor.check(model)
                })
        }
        if let learner = service.learner {
            application.addServices(
                RepeatedWork(
                    name: "learning", pause: learnEvery ?? .seconds(1 << 30), logger: logger,
                    onStop: {
                        await learner.close()
                    }
                ) { [service] in
                    guard learnEvery != nil, (try? service.registry.model(.interest)) != nil else { return }
                    _ = try await learner.learn()
                })
        }
        return application
    }
}

public enum ServerError: Error, Sendable, Equatable, CustomStringConvertible {
    case noKeys(host: String)
    case badCertificate(path: String)

    public var description: String {
        switch self {
        case .badCertificate(let path): "\(path) is no PEM file of a certificate or a key, or cannot be read"
        case .noKeys(let host):
            "\(host) can be reached from other machines, and there are no keys: make one with wane key create, or listen on 127.0.0.1"
        }
    }
}

/// Gives each request an id, counts and logs it, and lets every failure out as a problem.
struct RequestObserver: RouterMiddleware {
    let metrics: ServiceMetrics
    let logger: Logger
    let methods: [(parts: [String?], method: String)]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = Self.id(request)
        metrics.enter()
        defer { metrics.leave() }
        var response: Response
        var failure: (any Error)?
        do {
            response = try await next(request, context)
        } catch {
            failure = error
            var problem = Problem.of(error)
            if problem.status == 404, problem.code == "http" { problem = missing(request) }
            problem.requestID = context.requestID
            response = problem.response
        }
        if request.method == .get, response.status == .ok, let tag = response.headers[.eTag],
            Self.isKnown(tag, request.headers[values: .ifNoneMatch])
        {
            response = Response(status: .notModified, headers: response.headers)
            response.headers[.contentType] = nil
        }
        response.headers[.requestID] = context.requestID
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.cacheControl] = response.headers[.cacheControl] ?? "no-store"
        let seconds = start.duration(to: .now).inSeconds
        // The route as it was declared: paths have people in them.
        let route = context.endpointPath ?? "none"
        let method = Self.known.contains(request.method.rawValue) ? request.method.rawValue : "other"
        let labels = "route=\"\(route)\",method=\"\(method)\""
        metrics.count("wane_http_requests_total", labels + ",code=\"\(response.status.code)\"")
        metrics.measure("wane_http_request_duration_seconds", labels, seconds: seconds)
        let facts: Logger.Metadata = [
            "request_id": "\(context.requestID)", "route": "\(route)", "method": "\(method)",
            "code": "\(response.status.code)", "seconds": "\(String(format: "%.4f", seconds))",
        ]
        if let lack = failure as? RegistryError, case .noModel = lack {
            logger.info("no model for this yet", metadata: facts)
        } else if response.status.code >= 500 {
            // Its kind alone: an error's words may quote what is stored.
            logger.error(
                "\(failure.map { ($0 as? StoreError)?.description ?? "\(type(of: $0))" } ?? "failed")", metadata: facts)
        } else {
            logger.debug("answered", metadata: facts)
        }
        return response
    }

    /// Whether who asks has an answer already, by the tags that they name (RFC 9110, 13.1.2).
    private static func isKnown(_ tag: String, _ fields: [String]) -> Bool {
        fields.flatMap { $0.split(separator: ",") }.contains { field in
            let field = field.trimmingCharacters(in: .whitespaces)
            return field == "*" || (field.hasPrefix("W/") ? String(field.dropFirst(2)) : field) == tag
        }
    }

    private static let known: Set<String> = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]

    /// The sender's id where it is a plain word, else one of our own.
    private static func id(_ request: Request) -> String {
        if let own = request.headers[.requestID], (1...64).contains(own.utf8.count),
            own.utf8.allSatisfy({
                $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E
            })
        {
            return own
        }
        return String(UInt64.random(in: 0 ... .max), radix: 16)
    }

    /// No such path, or no such method of it.
    private func missing(_ request: Request) -> Problem {
        let parts = request.uri.path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        let allowed = methods.filter { own in
            own.parts.count == parts.count && zip(own.parts, parts).allSatisfy { $0 == nil || $0 == $1 }
        }.map(\.method)
        guard !allowed.isEmpty else {
            return Problem(404, "no_route", "no such path; /openapi.json lists all")
        }
        var problem = Problem(405, "method", "this path takes \(Set(allowed).sorted().joined(separator: ", "))")
        problem.allowed = Set(allowed).sorted()
        return problem
    }
}
