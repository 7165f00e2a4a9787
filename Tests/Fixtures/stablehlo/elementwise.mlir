module @elementwise {
  func.func public @main(%arg0: tensor<3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<3xi32>, %arg3: tensor<3xi1>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi32>, tensor<3xui32>, tensor<3xf32>, tensor<3xbf16>, tensor<3xui32>) {
    %0 = stablehlo.add %arg0, %arg1 : tensor<3xf32>
    %1 = stablehlo.subtract %arg0, %arg1 : tensor<3xf32>
    %2 = stablehlo.multiply %arg0, %arg1 : tensor<3xf32>
    %3 = stablehlo.divide %arg0, %arg1 : tensor<3xf32>
    %4 = stablehlo.remainder %arg0, %arg1 : tensor<3xf32>
    %5 = stablehlo.maximum %arg0, %arg1 : tensor<3xf32>
    %6 = stablehlo.minimum %arg0, %arg1 : tensor<3xf32>
    %7 = stablehlo.power %arg0, %arg1 : tensor<3xf32>
    %8 = stablehlo.atan2 %arg0, %arg1 : tensor<3xf32>
    %9 = stablehlo.negate %arg0 : tensor<3xf32>
    %10 = stablehlo.exponential %arg0 : tensor<3xf32>
    %11 = stablehlo.exponential_minus_one %arg0 : tensor<3xf32>
    %12 = stablehlo.log %arg0 : tensor<3xf32>
    %13 = stablehlo.log_plus_one %arg0 : tensor<3xf32>
    %14 = stablehlo.sqrt %arg0 : tensor<3xf32>
    %15 = stablehlo.rsqrt %arg0 : tensor<3xf32>
    %16 = stablehlo.sine %arg0 : tensor<3xf32>
    %17 = stablehlo.cosine %arg0 : tensor<3xf32>
    %18 = stablehlo.tanh %arg0 : tensor<3xf32>
    %19 = stablehlo.logistic %arg0 : tensor<3xf32>
    %20 = stablehlo.abs %arg0 : tensor<3xf32>
    %21 = stablehlo.sign %arg0 : tensor<3xf32>
    %22 = stablehlo.floor %arg0 : tensor<3xf32>
    %23 = stablehlo.ceil %arg0 : tensor<3xf32>
    %24 = stablehlo.round_nearest_even %arg0 : tensor<3xf32>
    %25 = stablehlo.is_finite %arg0 : (tensor<3xf32>) -> tensor<3xi1>
    %26 = stablehlo.compare EQ, %arg0, %arg1, FLOAT : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
    %27 = stablehlo.compare LT, %arg0, %arg1, FLOAT : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
    %28 = stablehlo.compare GE, %arg2, %arg2, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
    %29 = stablehlo.convert %arg2 : (tensor<3xi32>) -> tensor<3xui32>
    %30 = stablehlo.compare LT, %29, %29, UNSIGNED : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xi1>
    %31 = stablehlo.and %arg3, %arg3 : tensor<3xi1>
    %32 = stablehlo.or %arg3, %arg3 : tensor<3xi1>
    %33 = stablehlo.xor %arg3, %arg3 : tensor<3xi1>
    %34 = stablehlo.not %arg3 : tensor<3xi1>
    %35 = stablehlo.constant dense<2> : tensor<i32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [] : (tensor<i32>) -> tensor<3xi32>
    %37 = stablehlo.shift_left %arg2, %36 : tensor<3xi32>
    %38 = stablehlo.constant dense<3> : tensor<ui32>
    %39 = stablehlo.broadcast_in_dim %38, dims = [] : (tensor<ui32>) -> tensor<3xui32>
    %40 = stablehlo.shift_right_logical %29, %39 : tensor<3xui32>
    %41 = stablehlo.select %arg3, %arg0, %arg1 : tensor<3xi1>, tensor<3xf32>
    %42 = stablehlo.convert %arg0 : (tensor<3xf32>) -> tensor<3xbf16>
    %43 = stablehlo.bitcast_convert %arg0 : (tensor<3xf32>) -> tensor<3xui32>
    return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %30, %31, %32, %33, %34, %37, %40, %41, %42, %43 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi32>, tensor<3xui32>, tensor<3xf32>, tensor<3xbf16>, tensor<3xui32>
  }
}
