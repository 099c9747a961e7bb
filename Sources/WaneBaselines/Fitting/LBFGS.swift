/// Minimizes a smooth function of many variables from its gradient.
///
/// Source: Nocedal and Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5, with backtracking.
enum LBFGS {
    /// - Parameter value: gives the function and writes its gradient.
    static func minimize(
        from start: [Double], memory: Int = 8, iterations: Int = 150, tolerance: Double = 1e-7,
        _ value: ([Double], inout [Double]) -> Double
    ) -> [Double] {
        let n = start.count
        var x = start
        var gradient = [Double](repeating: 0, count: n)
        var y = value(x, &gradient)
        var pairs: [(s: [Double], y: [Double], rho: Double)] = []
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            var sum = 0.0
            for i in 0..<n { sum += a[i] * b[i] }
            return sum
        }
        for iteration in 0..<iterations {
            var direction = gradient
            var alphas: [Double] = []
            for pair in pairs.reversed() {
                let alpha = pair.rho * dot(pair.s, direction)
                alphas.append(alpha)
                for i in 0..<n { direction[i] -= alpha * pair.y[i] }
            }
            if let last = pairs.last {
                let scale = dot(last.s, last.y) / max(1e-300, dot(last.y, last.y))
                for i in 0..<n { direction[i] *= scale }
            }
            for (pair, alpha) in zip(pairs, alphas.reversed()) {
                let beta = pair.rho * dot(pair.y, direction)
                for i in 0..<n { direction[i] += (alpha - beta) * pair.s[i] }
            }
            let slope = dot(gradient, direction)
            guard slope > 0 else { break }
            var step = iteration == 0 ? 1 / max(1, dot(gradient, gradient).squareRoot()) : 1.0
            var next = x
            var nextGradient = gradient
            var nextY = Double.infinity
            for _ in 0..<30 {
                for i in 0..<n { next[i] = x[i] - step * direction[i] }
                nextY = value(next, &nextGradient)
                if nextY <= y - 1e-4 * step * slope { break }
                step /= 2
            }
            guard nextY < y else { break }
            let s = (0..<n).map { next[$0] - x[$0] }
            let change = (0..<n).map { nextGradient[$0] - gradient[$0] }
            let curvature = dot(s, change)
            if curvature > 1e-12 {
                pairs.append((s, change, 1 / curvature))
                if pairs.count > memory { pairs.removeFirst() }
            }
            let done = y - nextY <= tolerance * max(1, abs(y))
            (x, y, gradient) = (next, nextY, nextGradient)
            if done { break }
        }
        return x
    }
}
