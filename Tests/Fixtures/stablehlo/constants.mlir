module @constants {
  func.func public @main() -> (tensor<5xf32>, tensor<2xi1>, tensor<2x2xi64>, tensor<f32>, tensor<f64>, tensor<i8>, tensor<bf16>, tensor<2x3xui16>, tensor<2xi1>, tensor<2x3xi32>) {
    %0 = stablehlo.constant dense<"0x0000803F000000BF0000807F000080FF0000C07F"> : tensor<5xf32>
    %1 = stablehlo.constant dense<[true, false]> : tensor<2xi1>
    %2 = stablehlo.constant dense<"0x0100000000000000020000000000000003000000000000000400000000000000"> : tensor<2x2xi64>
    %3 = stablehlo.constant dense<0.1> : tensor<f32>
    %4 = stablehlo.constant dense<0x7FF8000000000000> : tensor<f64>
    %5 = stablehlo.constant dense<-3> : tensor<i8>
    %6 = stablehlo.constant dense<1.0> : tensor<bf16>
    %7 = stablehlo.constant dense<7> : tensor<ui16>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<ui16>) -> tensor<2x3xui16>
    %9 = stablehlo.constant dense<false> : tensor<i1>
    %10 = stablehlo.broadcast_in_dim %9, dims = [] : (tensor<i1>) -> tensor<2xi1>
    %11 = stablehlo.iota dim = 1 : tensor<2x3xi32>
    return %0, %1, %2, %3, %4, %5, %6, %8, %10, %11 : tensor<5xf32>, tensor<2xi1>, tensor<2x2xi64>, tensor<f32>, tensor<f64>, tensor<i8>, tensor<bf16>, tensor<2x3xui16>, tensor<2xi1>, tensor<2x3xi32>
  }
}
