import Foundation
import HTTPTypes
import Hummingbird
import WaneStore

/// The pages for people at `/`: plain files, which ask the calls that programs ask.
struct DashboardRoutes {
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    var routes: [Route] {
        [
            file("/", "The dashboard.", PackageResources.index_html, "text/html; charset=utf-8"),
            file("/dashboard.css", "Its looks.", PackageResources.dashboard_css, "text/css; charset=utf-8"),
            file("/dashboard.js", "Its program.", PackageResources.dashboard_js, "text/javascript; charset=utf-8"),
        ]
    }

    private func file(_ path: String, _ summary: String, _ bytes: [UInt8], _ type: String) -> Route {
        Route(method: .get, path: path, access: .open, summary: summary) { _ in
            Response(
                status: .ok,
                headers: [.contentType: type, .contentSecurityPolicy: Self.policy, .referrerPolicy: "no-referrer"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
}
