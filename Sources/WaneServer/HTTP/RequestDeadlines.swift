import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take too long: whose head of a request does not come whole, or who do not take their answer.
///
/// Time that the service itself takes does not count. The body has a limit of its own, which is answered (see ``Call/body(_:)``).
final class RequestDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let head: TimeAmount
    private let answer: TimeAmount
    private var timer: Scheduled<Void>?

    init(head: TimeAmount, answer: TimeAmount) { (self.head, self.answer) = (head, answer) }

    private func start(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { start(head, context) } }

    func channelActive(context: ChannelHandlerContext) {
        start(head, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { stop() }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let response):
            // What is only an interim answer is followed by one.
            if response.status.kind != .informational { start(answer, context) }
            context.write(data, promise: promise)
        case .end:
            let done = promise ?? context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            done.futureResult.whenSuccess {
                // Written: the next request is waited for.
                let (own, context) = bound.value
                own.start(own.head, context)
            }
            context.write(data, promise: done)
        default: context.write(data, promise: promise)
        }
    }
}
