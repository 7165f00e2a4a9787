module @control {
  func.func public @main(%arg0: tensor<4x3xf32>, %arg1: tensor<3xf32>, %arg2: tensor<i1>) -> (tensor<3xf32>, tensor<4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
    %0 = stablehlo.constant dense<0.0> : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %2 = stablehlo.constant dense<0> : tensor<i32>
    %3 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<4x3xf32>
    %4:4 = stablehlo.while(%5 = %2, %6 = %1, %7 = %3, %8 = %3) : tensor<i32>, tensor<3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
    cond {
      %9 = stablehlo.constant dense<4> : tensor<i32>
      %10 = stablehlo.compare LT, %5, %9, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %10 : tensor<i1>
    } do {
      %11 = stablehlo.constant dense<0> : tensor<i32>
      %12 = stablehlo.dynamic_slice %arg0, %5, %11, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %13 = stablehlo.reshape %12 : (tensor<1x3xf32>) -> tensor<3xf32>
      %14 = stablehlo.multiply %6, %arg1 : tensor<3xf32>
      %15 = stablehlo.add %14, %13 : tensor<3xf32>
      %16 = stablehlo.tanh %15 : tensor<3xf32>
      %17 = stablehlo.constant dense<2.0> : tensor<f32>
      %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %19 = stablehlo.multiply %16, %18 : tensor<3xf32>
      %20 = stablehlo.constant dense<1> : tensor<i32>
      %21 = stablehlo.add %5, %20 : tensor<i32>
      %22 = stablehlo.reshape %19 : (tensor<3xf32>) -> tensor<1x3xf32>
      %23 = stablehlo.dynamic_update_slice %7, %22, %5, %11 : (tensor<4x3xf32>, tensor<1x3xf32>, tensor<i32>, tensor<i32>) -> tensor<4x3xf32>
      %24 = stablehlo.reshape %6 : (tensor<3xf32>) -> tensor<1x3xf32>
      %25 = stablehlo.dynamic_update_slice %8, %24, %5, %11 : (tensor<4x3xf32>, tensor<1x3xf32>, tensor<i32>, tensor<i32>) -> tensor<4x3xf32>
      stablehlo.return %21, %16, %23, %25 : tensor<i32>, tensor<3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
    }
    %26 = "stablehlo.if"(%arg2) ({
      %27 = stablehlo.constant dense<1.0> : tensor<f32>
      %28 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %29 = stablehlo.add %arg1, %28 : tensor<3xf32>
      stablehlo.return %29 : tensor<3xf32>
    }, {
      %30 = stablehlo.constant dense<2.0> : tensor<f32>
      %31 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %32 = stablehlo.multiply %arg1, %31 : tensor<3xf32>
      stablehlo.return %32 : tensor<3xf32>
    }) : (tensor<i1>) -> tensor<3xf32>
    %33:2 = stablehlo.while(%34 = %0, %35 = %arg1) : tensor<f32>, tensor<3xf32>
    cond {
      %36 = stablehlo.constant dense<3.0> : tensor<f32>
      %37 = stablehlo.compare LT, %34, %36, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %37 : tensor<i1>
    } do {
      %38 = stablehlo.constant dense<1.0> : tensor<f32>
      %39 = stablehlo.add %34, %38 : tensor<f32>
      %40 = stablehlo.constant dense<2.0> : tensor<f32>
      %41 = stablehlo.broadcast_in_dim %40, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %42 = stablehlo.multiply %35, %41 : tensor<3xf32>
      stablehlo.return %39, %42 : tensor<f32>, tensor<3xf32>
    }
    %43 = stablehlo.constant dense<1.0> : tensor<f32>
    %44 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %45:3 = stablehlo.while(%46 = %2, %47 = %44, %48 = %1) : tensor<i32>, tensor<3xf32>, tensor<3xf32>
    cond {
      %49 = stablehlo.constant dense<4> : tensor<i32>
      %50 = stablehlo.compare LT, %46, %49, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %50 : tensor<i1>
    } do {
      %51 = stablehlo.constant dense<3> : tensor<i32>
      %52 = stablehlo.subtract %51, %46 : tensor<i32>
      %53 = stablehlo.constant dense<0> : tensor<i32>
      %54 = stablehlo.dynamic_slice %4#3, %52, %53, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %55 = stablehlo.reshape %54 : (tensor<1x3xf32>) -> tensor<3xf32>
      %56 = stablehlo.dynamic_slice %arg0, %52, %53, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %57 = stablehlo.reshape %56 : (tensor<1x3xf32>) -> tensor<3xf32>
      %58 = stablehlo.constant dense<1.0> : tensor<f32>
      %59 = stablehlo.broadcast_in_dim %58, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %60 = stablehlo.multiply %55, %arg1 : tensor<3xf32>
      %61 = stablehlo.add %60, %57 : tensor<3xf32>
      %62 = stablehlo.tanh %61 : tensor<3xf32>
      %63 = stablehlo.multiply %62, %62 : tensor<3xf32>
      %64 = stablehlo.subtract %59, %63 : tensor<3xf32>
      %65 = stablehlo.multiply %47, %64 : tensor<3xf32>
      %66 = stablehlo.multiply %65, %arg1 : tensor<3xf32>
      %67 = stablehlo.multiply %65, %55 : tensor<3xf32>
      %68 = stablehlo.add %48, %67 : tensor<3xf32>
      %69 = stablehlo.constant dense<1> : tensor<i32>
      %70 = stablehlo.add %46, %69 : tensor<i32>
      stablehlo.return %70, %66, %68 : tensor<i32>, tensor<3xf32>, tensor<3xf32>
    }
    return %4#1, %4#2, %26, %33#1, %45#2 : tensor<3xf32>, tensor<4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
  }
}
