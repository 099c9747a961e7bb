import Foundation

/// The service's description for other programs, OpenAPI 3.1, made from the routes themselves.
enum OpenAPI {
    static func document(_ routes: [Route], version: String) throws -> Data {
        var paths: [String: [String: Any]] = [:]
        for route in routes {
            var parameters: [[String: Any]] = parts(route.path).map {
                ["name": $0, "in": "path", "required": true, "schema": ["type": "string"]]
            }
            parameters += route.parameters.map {
                [
                    "name": $0.name, "in": "query", "required": false, "description": $0.summary,
                    "schema": ["type": $0.isInteger ? "integer" : "string"],
                ]
            }
            var operation: [String: Any] = [
                "summary": route.summary, "operationId": name(route),
                "responses": [
                    "200": ["description": "the answer"],
                    "default": [
                        "description": "a problem (RFC 9457)",
                        "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
                    ],
                ] as [String: Any],
            ]
            if !parameters.isEmpty { operation["parameters"] = parameters }
            if !route.bodies.isEmpty {
                operation["requestBody"] = [
                    "required": true,
                    "content": Dictionary(uniqueKeysWithValues: route.bodies.map { ($0, ["schema": [String: Any]()]) }),
                ]
            }
            switch route.access {
            case .open: operation["security"] = [[String: Any]]()
            case .key(let role), .keyOrLoopback(let role): operation["x-wane-role"] = role.rawValue
            }
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] = operation
        }
        let document: [String: Any] = [
            "openapi": "3.1.0", "info": ["title": "Wane", "version": version],
            "paths": paths, "security": [["key": [String]()], ["header": [String]()]],
            "components": [
                "securitySchemes": [
                    "key": ["type": "http", "scheme": "bearer"],
                    "header": ["type": "apiKey", "in": "header", "name": "X-API-Key"],
                ],
                "schemas": ["Problem": problem],
            ] as [String: Any],
        ]
        return try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes])
    }

    private static var problem: [String: Any] {
        let text: [String: Any] = ["type": "string"]
        return [
            "type": "object", "required": ["type", "title", "status", "code", "detail"],
            "properties": [
                "type": text, "title": text, "status": ["type": "integer"], "code": text, "detail": text,
                "request_id": text,
                "errors": [
                    "type": "array",
                    "items": [
                        "type": "object", "properties": ["pointer": text, "reason": text, "line": ["type": "integer"]],
                    ],
                ] as [String: Any],
            ] as [String: Any],
        ]
    }

    /// The names in braces.
    static func parts(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    private static func name(_ route: Route) -> String {
        let words = route.path.split(separator: "/").filter { !$0.hasPrefix("{") && $0 != "v1" }
        return ([route.method.rawValue.lowercased()] + words.map(String.init)).joined(separator: "_")
            .replacing(".", with: "_")
    }
}
