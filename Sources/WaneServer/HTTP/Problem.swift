import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import WaneBundle
import WaneEvents
import WaneExplanation
import WanePrediction
import WaneStore

/// What went wrong with a request, as RFC 9457 writes it.
struct Problem: Error, Encodable {
    struct Place: Encodable {
        let pointer: String
        let reason: String
        var line: Int?
    }

    let status: Int
    /// One word for programs.
    let code: String
    let title: String
    let detail: String
    var errors: [Place]?
    var requestID: String?
    /// Seconds after which to try again.
    var retryAfter: Int?
    /// Methods that the path has.
    var allowed: [String]?

    init(_ status: Int, _ code: String, _ detail: String, errors: [Place]? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        title = Self.title(status)
        self.detail = detail
        self.errors = errors
        self.retryAfter = retryAfter
    }

    /// A field of a body that is not as it has to be.
    static func field(_ pointer: String, _ code: String, _ reason: String) -> Problem {
        Problem(422, code, reason, errors: [Place(pointer: pointer, reason: reason)])
    }

    /// A body that as a whole cannot be read.
    static func unreadable(_ fault: EventRecordReader.Fault) -> Problem {
        Problem(
            400, "unreadable", fault.reason,
            errors: [Place(pointer: fault.pointer, reason: fault.reason, line: fault.line)])
    }

    private enum CodingKeys: String, CodingKey {
        case type, status, code, title, detail, errors
        case requestID = "request_id"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("about:blank", forKey: .type)
        try container.encode(status, forKey: .status)
        try container.encode(code, forKey: .code)
        try container.encode(title, forKey: .title)
        try container.encode(detail, forKey: .detail)
        try container.encodeIfPresent(errors, forKey: .errors)
        try container.encodeIfPresent(requestID, forKey: .requestID)
    }

    private static func title(_ status: Int) -> String {
        titles[status] ?? (status < 500 ? "Bad Request" : "Internal Server Error")
    }

    private static let titles = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 413: "Content Too Large", 415: "Unsupported Media Type",
        422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error",
        503: "Service Unavailable",
        507: "Insufficient Storage",
    ]

    /// What an error of the library is to who asked.
    static func of(_ error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as StoreError: of(error)
        case let error as RegistryError:
            switch error {
            case .noModel: Problem(503, "no_model", error.description)
            case .noVersion: Problem(404, "no_version", error.description)
            case .noTimes, .noNumbers, .changed: Problem(409, "unusable_version", error.description)
            case .nothingBefore: Problem(409, "nothing_before", error.description)
            case .replaced: Problem(409, "replaced", error.description)
            }
        case let error as PredictionError:
            switch error {
            case .unknownTopic(let topic, _):
                Problem(404, "unknown_topic", "neither the model nor the person knows a topic \"\(topic)\"")
            case .noCandidates: Problem(422, "no_candidates", error.description)
            default: Problem(409, "no_answer", error.description)
            }
        case let error as ExplanationError: Problem(409, "no_causes", error.description)
        case let error as BundleFolderError: Problem(409, "unusable_version", "\(error)")
        case let error as any HTTPResponseError:
            Problem(error.status.code, "http", error.status.reasonPhrase)
        default: Problem(500, "internal", "something failed in the service; its log says what, under this request's id")
        }
    }

    private static func of(_ error: StoreError) -> Problem {
        switch error {
        case .full: Problem(507, "disk_full", error.description, retryAfter: 60)
        case .busy: Problem(503, "busy", error.description, retryAfter: 1)
        case .damaged: Problem(500, "damaged", error.description)
        // Where it lies is nobody's business but the operator's, whose log says it.
        default:
            Problem(503, "store", "the store cannot be reached or failed; nothing was lost, try again", retryAfter: 5)
        }
    }

    var response: Response {
        var response = Reply.json(self, status: HTTPResponse.Status(code: status))
        response.headers[.contentType] = "application/problem+json"
        if let retryAfter { response.headers[.retryAfter] = "\(retryAfter)" }
        if let allowed { response.headers[.allow] = allowed.joined(separator: ", ") }
        if status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}

/// Answers of values as JSON.
enum Reply {
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }

    /// Reads what ``encoder`` writes.
    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        guard let data = try? encoder.encode(value) else {
            return Response(status: .internalServerError)
        }
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// An answer that a model gave.
    static func json(_ answer: some Encodable, of model: LoadedModel) -> Response {
        guard let data = try? encoder.encode(answer) else {
            return Response(status: .internalServerError)
        }
        return of(model, [UInt8](data))
    }

    /// The same answer has the same tag, whichever service gave it: who has it need not be sent it again.
    private static func of(_ model: LoadedModel, _ text: [UInt8]) -> Response {
        let tag = Data(SHA256.hash(data: text).prefix(12)).base64EncodedString()
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/json", .waneModel: model.version, .eTag: "\"\(tag)\"",
                .cacheControl: "private, no-cache",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
    }

    /// An answer with many rows under a name, each of which writes itself.
    static func json(
        _ answer: some Encodable, _ name: StaticString, _ rows: some Sequence<some JSONRow>, of model: LoadedModel
    ) throws -> Response {
        var text = [UInt8](try encoder.encode(answer))
        guard text.popLast() == UInt8(ascii: "}") else { return Response(status: .internalServerError) }
        text.append(UInt8(ascii: ","))
        text.append(json: name.description)
        text += Array(":[".utf8)
        var isFirst = true
        for row in rows {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            row.write(to: &text)
        }
        text += Array("]}".utf8)
        return of(model, text)
    }

    static func text(_ text: String, type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// Six digits, as in all rows for machines; nothing for what is no number.
func short(_ value: Double?) -> Double? {
    guard let value, value.isFinite else { return nil }
    return ShortNumber(value).value
}
