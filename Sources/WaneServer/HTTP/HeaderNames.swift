import HTTPTypes

extension HTTPField.Name {
    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { return .from }
        return name
    }

    static let secFetchSite = name("Sec-Fetch-Site")
    static let referrerPolicy = name("Referrer-Policy")
    static let apiKey = name("X-API-Key")
    static let forwarded = name("Forwarded")
    static let forwardedFor = name("X-Forwarded-For")
    static let forwardedHost = name("X-Forwarded-Host")
    static let requestID = name("X-Request-ID")
    static let waneModel = name("X-Wane-Model")
}
