/// Minimizes a function of few variables without derivatives.
///
/// Source: Nelder and Mead, "A Simplex Method for Function Minimization" (1965), with the usual factors.
public enum NelderMead {
    public static func minimize(
        from start: [Double], step: Double = 0.5, tolerance: Double = 1e-9, iterations: Int = 500,
        _ value: ([Double]) -> Double
    ) -> [Double] {
        // A point where the function is not a number is as bad as can be.
        func f(_ x: [Double]) -> Double {
            let y = value(x)
            return y.isNaN ? .infinity : y
        }
        let n = start.count
        var simplex = [(x: start, y: f(start))]
        for i in 0..<n {
            var x = start
            x[i] += step
            simplex.append((x, f(x)))
        }
        for _ in 0..<iterations {
            simplex.sort { $0.y < $1.y }
            let (best, worst) = (simplex[0], simplex[n])
            if abs(worst.y - best.y) <= tolerance * (abs(best.y) + tolerance) { break }
            var centre = [Double](repeating: 0, count: n)
            for point in simplex.dropLast() { for i in 0..<n { centre[i] += point.x[i] / Double(n) } }
            func along(_ factor: Double) -> (x: [Double], y: Double) {
                let x = (0..<n).map { centre[$0] + factor * (worst.x[$0] - centre[$0]) }
                return (x, f(x))
            }
            let reflected = along(-1)
            if reflected.y < best.y {
                let expanded = along(-2)
                simplex[n] = expanded.y < reflected.y ? expanded : reflected
            } else if reflected.y < simplex[n - 1].y {
                simplex[n] = reflected
            } else {
                let contracted = along(reflected.y < worst.y ? -0.5 : 0.5)
                if contracted.y < min(reflected.y, worst.y) {
                    simplex[n] = contracted
                } else {
                    for i in 1...n {
                        let x = (0..<n).map { best.x[$0] + 0.5 * (simplex[i].x[$0] - best.x[$0]) }
                        simplex[i] = (x, f(x))
                    }
                }
            }
        }
        return simplex.min { $0.y < $1.y }?.x ?? start
    }
}
