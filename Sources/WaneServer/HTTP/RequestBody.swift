import Foundation
import WaneEvents

/// Bodies of requests as values: what is no field, or of another type, is named.
enum RequestBody {
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], fields: [String]) throws -> Value {
        let data = Data(bytes)
        do {
            let keys = try JSONDecoder().decode([String: AnyField].self, from: data).keys
            for key in keys.sorted() where !fields.contains(key) {
                let reason =
                    "no such field\(NearestName.hint(key, among: fields)); there are \(fields.joined(separator: ", "))"
                throw Problem.field("/" + key, "unknown_field", reason)
            }
            return try JSONDecoder().decode(type, from: data)
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            let (path, reason) = words(error)
            throw Problem(
                path.isEmpty ? 400 : 422, "unreadable", reason, errors: [.init(pointer: path, reason: reason)])
        }
    }

    /// Any value, of which nothing is read.
    private struct AnyField: Decodable { init(from decoder: any Decoder) {} }

    private static func words(_ error: DecodingError) -> (path: String, reason: String) {
        func pointer(_ keys: [any CodingKey]) -> String {
            keys.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
        }
        return switch error {
        case .keyNotFound(let key, let context): (pointer(context.codingPath + [key]), "missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            (pointer(context.codingPath), context.debugDescription)
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            (pointer(context.codingPath), context.debugDescription)
        case .dataCorrupted(let context): (pointer(context.codingPath), "no JSON: \(context.debugDescription)")
        @unknown default: ("", "no such JSON")
        }
    }
}
