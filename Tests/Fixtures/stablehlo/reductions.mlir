module @reductions {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x3xi32>, %arg2: tensor<2x3xi1>) -> (tensor<2xf32>, tensor<3xf32>, tensor<f32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi1>, tensor<3xi1>, tensor<2xi32>, tensor<2x3xf32>, tensor<2x3xi32>) {
    %0 = stablehlo.constant dense<0.0> : tensor<f32>
    %1 = stablehlo.reduce(%arg0 init: %0) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%arg0 init: %2) applies stablehlo.maximum across dimensions = [0] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>
    %4 = stablehlo.constant dense<0x7F800000> : tensor<f32>
    %5 = stablehlo.reduce(%arg0 init: %4) applies stablehlo.minimum across dimensions = [0, 1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<f32>
    %6 = stablehlo.constant dense<-2147483648> : tensor<i32>
    %7 = stablehlo.reduce(%arg1 init: %6) applies stablehlo.maximum across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
    %8 = stablehlo.constant dense<2147483647> : tensor<i32>
    %9 = stablehlo.reduce(%arg1 init: %8) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
    %10 = stablehlo.constant dense<false> : tensor<i1>
    %11 = stablehlo.reduce(%arg2 init: %10) applies stablehlo.or across dimensions = [1] : (tensor<2x3xi1>, tensor<i1>) -> tensor<2xi1>
    %12 = stablehlo.constant dense<true> : tensor<i1>
    %13 = stablehlo.reduce(%arg2 init: %12) applies stablehlo.and across dimensions = [0] : (tensor<2x3xi1>, tensor<i1>) -> tensor<3xi1>
    %14 = stablehlo.reduce(%arg0 init: %2) applies stablehlo.maximum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
    %16 = stablehlo.compare EQ, %arg0, %15, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
    %17 = stablehlo.iota dim = 1 : tensor<2x3xi32>
    %18 = stablehlo.constant dense<2> : tensor<i32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %20 = stablehlo.select %16, %17, %19 : tensor<2x3xi1>, tensor<2x3xi32>
    %21 = stablehlo.reduce(%20 init: %18) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
    %22:2 = "stablehlo.sort"(%arg0, %17) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%23: tensor<f32>, %24: tensor<f32>, %25: tensor<i32>, %26: tensor<i32>):
      %27 = stablehlo.compare LT, %23, %24, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %27 : tensor<i1>
    }) : (tensor<2x3xf32>, tensor<2x3xi32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
    return %1, %3, %5, %7, %9, %11, %13, %21, %22#0, %22#1 : tensor<2xf32>, tensor<3xf32>, tensor<f32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi1>, tensor<3xi1>, tensor<2xi32>, tensor<2x3xf32>, tensor<2x3xi32>
  }
}
